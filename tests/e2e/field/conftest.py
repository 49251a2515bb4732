"""Measures all cases at once, for all tests of this folder."""

import shutil
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.e2e.field.all_runs import RUNS
from tests.e2e.field.runs import Seen, measure_until_right
from worker.engine.children import Children


@pytest.fixture(scope="session")
async def seen(
    sqlite_template: Path, redis_server_url: str, children: Children, tmp_path_factory: pytest.TempPathFactory
) -> Seen:
    """What API and server say of every case."""
    path = tmp_path_factory.mktemp("field") / "test.db"
    shutil.copy(sqlite_template, path)
    async with Redis.from_url(redis_server_url) as client:
        await client.flushdb()
    return await measure_until_right(RUNS, f"sqlite:///{path}", redis_server_url, children)
