"""The webhook of the form for a new benchmark."""

from collections.abc import AsyncIterator
from html import unescape

import httpx2
import pytest

from shared.db.connection.database import Database
from shared.webhooks.secret_box import new_key
from tests.api.access.browsers import make_key
from tests.api.conftest import KEYS, SIMULATOR
from tests.api.documents import submit
from tests.api.pages.forms_of import read, send
from tests.support.programs.ports import free_port
from tests.support.servers.receiver import LOOPBACK
from tests.support.service import make_settings, running_api

NEW = "/ui/benchmarks/new"
LEAST = {"model": "sim", "prompts": "one\ntwo", "key": "abcdefgh"}


@pytest.fixture
async def with_webhooks(sqlite_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """An API that can store secrets, and sends webhooks to this machine."""
    changes = {"encryption_key": new_key(), "allowed_private_cidrs": LOOPBACK}
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR, **changes)
    async with running_api(settings, KEYS) as client:
        yield client


async def test_a_webhook_shows_its_secret_once_and_in_no_url(with_webhooks: httpx2.AsyncClient) -> None:
    form = {**LEAST, "webhook_url": "http://127.0.0.1:9/hook"}
    answer = await send(with_webhooks, "/ui/benchmarks", form)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    page = read(answer.text)
    assert any(text.startswith("whsec_") for text in page.texts)
    assert page.all("a", href="/ui/benchmarks/1")
    filled = (await with_webhooks.get(f"{NEW}?from=1")).text
    assert "http://127.0.0.1:9/hook" in filled
    assert "whsec_" not in filled


@pytest.mark.parametrize("chosen", [None, ["benchmark.failed"]])
async def test_the_webhook_of_an_earlier_benchmark_of_a_team_keeps_its_events(
    with_webhooks: httpx2.AsyncClient, sqlite_url: str, chosen: list[str] | None
) -> None:
    database = Database(sqlite_url)
    _, key = await make_key(database, "acme")
    await database.close()
    with_webhooks.headers["authorization"] = f"Bearer {key}"
    events = {} if chosen is None else {"webhook_events": chosen}
    await submit(with_webhooks, webhook_url="http://127.0.0.1:9/hook", **events)
    filled = unescape((await with_webhooks.get(f"{NEW}?from=1")).text)
    assert "http://127.0.0.1:9/hook" in filled
    assert ['"webhook_events"' in filled, '"benchmark.failed"' in filled] == [chosen is not None] * 2


async def test_a_webhook_that_cannot_be_stored_is_named(sqlite_api: httpx2.AsyncClient) -> None:
    answer = await send(sqlite_api, "/ui/benchmarks", {**LEAST, "webhook_url": "https://hooks.example.com/x"})
    assert answer.status_code == 422
    page = read(answer.text)
    assert [item["name"] for _, item in page.elements if item.get("aria-invalid")] == ["webhook_url"]
    assert "ENCRYPTION_KEY" in page.text
    assert (await sqlite_api.get("/benchmarks")).json()["items"] == []
