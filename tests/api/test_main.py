"""The API program."""

import gc
import json
import threading
import weakref
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.main import create_app
from api.pages.all_routes import ROUTERS as PAGES
from api.routes.all_routes import ROUTERS as JSON
from shared.providers.key_ring import KeyRing
from tests.support.imports import loaded_by
from tests.support.service import make_settings, running_api


def test_it_starts_without_what_takes_long_to_import() -> None:
    """No request of a starting API needs them at once, and together they would take half of its start."""
    assert not {"anthropic", "openai", "genai_prices", "alembic", "numpy", "opentelemetry.sdk", "pyarrow"} & loaded_by(
        "api.main"
    )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_its_start_names_the_parameters_of_the_database_without_effect_once(
    database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{database_url}?sslmode=prefer&channel_binding=require&keepalives_idle=30"
    settings = make_settings(url, redis_url, None, database_pooler="transaction")
    async with running_api(settings, KeyRing({})) as client:
        assert (await client.get("/benchmarks")).status_code == 200
    lines = [line for line in capsys.readouterr().err.splitlines() if "database_url_parameters_ignored" in line]
    assert [json.loads(line)["parameters"] for line in lines] == [["channel_binding", "keepalives_idle"]]


async def test_the_openapi_document_is_made_when_it_is_asked_for_and_not_in_the_event_loop(sqlite_url: str) -> None:
    """It takes most of a second."""
    app = create_app(make_settings(sqlite_url, "redis://127.0.0.1:9/0", None), KeyRing({}))
    make, threads = app.openapi, []

    def noted() -> dict[str, Any]:
        threads.append(threading.current_thread())
        return make()

    # As FastAPI lets applications extend it.
    app.openapi = noted  # type: ignore[method-assign]
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        await client.get("/health")
        assert threads == []
        assert (await client.get("/openapi.json")).json()["info"]["title"] == app.title
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


def test_it_makes_no_route_a_second_time(tmp_path: Path) -> None:
    """The first request would wait for it, and the event loop with it."""
    app = create_app(make_settings(f"sqlite:///{tmp_path / 'api.db'}", "redis://127.0.0.1:9/0", None), KeyRing({}))
    for router in (*JSON, *PAGES):
        assert all(any(route is served for served in app.routes) for route in router.routes)


def test_an_application_that_nobody_uses_is_forgotten(tmp_path: Path) -> None:
    settings = make_settings(f"sqlite:///{tmp_path / 'api.db'}", "redis://127.0.0.1:9/0", None)
    gone = weakref.ref(create_app(settings, KeyRing({})))
    gc.collect()
    assert gone() is None
