"""The worker program."""

import asyncio

import pytest

from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.support.imports import loaded_by
from tests.support.service import make_settings, running_api, running_worker
from worker.engine.children import Children

BODY = {"name": "test", "model": "sim-ttft5-gap1-n4", "prompts": ["x"]}


def test_it_starts_without_what_takes_long_to_import() -> None:
    """They are loaded in a thread, once it reports and claims."""
    loaded = loaded_by("worker.main", "arq.cli")
    assert not {"anthropic", "openai", "genai_prices", "alembic", "numpy", "fastapi", "opentelemetry.sdk"} & loaded


def test_a_measuring_process_starts_without_any_of_it() -> None:
    loaded = loaded_by("worker.engine.child.__main__")
    assert not {"anthropic", "openai", "httpx2", "pydantic", "sqlalchemy", "numpy", "structlog"} & loaded


async def test_a_benchmark_runs_although_the_warm_up_has_not_ended(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def warm_up() -> None:
        begun.set()
        await never.wait()

    settings, keys = make_settings(database_url, redis_url, simulator.base_url), KeyRing({})
    async with running_worker(settings, keys, children, warm_up=warm_up), running_api(settings, keys) as client:
        await begun.wait()
        answer = await client.post("/benchmarks", json=BODY, headers={"Prefer": "wait=30"})
        assert answer.json()["status"] == "completed"


async def test_a_warm_up_that_fails_is_logged_and_the_worker_works(
    database_url: str,
    redis_url: str,
    simulator: Simulator,
    children: Children,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def warm_up() -> None:
        raise OSError("no such file")

    settings, keys = make_settings(database_url, redis_url, simulator.base_url), KeyRing({})
    async with running_worker(settings, keys, children, warm_up=warm_up), running_api(settings, keys) as client:
        answer = await client.post("/benchmarks", json=BODY, headers={"Prefer": "wait=30"})
        assert answer.json()["status"] == "completed"
    assert "warm_up_failed" in "".join(capsys.readouterr())
