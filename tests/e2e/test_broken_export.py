"""An export that cannot be completed breaks its connection off, at a real server and on both databases."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import uvicorn
from sqlalchemy import event
from sqlalchemy.engine import Engine

from api.files.exports import ROWS_AT_ONCE
from api.main import create_app
from shared.access.caller import LOCAL
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.providers.key_ring import KeyRing
from tests.support.databases.long_run import add_long_run
from tests.support.programs.ports import free_port
from tests.support.service import make_settings
from tests.support.waiting import PATIENCE_S

# More than the buffers of two sockets and of the server hold.
RESULTS = 60_000
EXPORT = "/benchmarks/1/export"


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[str]:
    settings = make_settings(url, f"redis://127.0.0.1:{free_port()}/0", "http://127.0.0.1:9")
    port = free_port()
    config = uvicorn.Config(create_app(settings, KeyRing({})), port=port, log_level="critical", http="h11")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def database_of_a_long_run(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    assert await add_long_run(database, RESULTS) == 1
    yield database
    await database.close()


@pytest.mark.heavy
async def test_a_benchmark_that_is_deleted_meanwhile_gives_no_file(
    database_of_a_long_run: Database, database_url: str
) -> None:
    async with (
        serving(database_url) as url,
        httpx2.AsyncClient(base_url=url) as client,
        client.stream("GET", f"{EXPORT}?format=json") as response,
    ):
        assert (response.status_code, response.headers["export-rows"]) == (200, str(RESULTS))
        pieces = response.aiter_bytes(65_536)
        assert await anext(pieces)
        await BenchmarkRepository(LOCAL, database_of_a_long_run).delete(1)
        with pytest.raises(httpx2.RemoteProtocolError):
            async for _ in pieces:
                pass


@pytest.mark.heavy
async def test_a_client_that_goes_away_ends_the_reading(database_of_a_long_run: Database, database_url: str) -> None:
    blocks = 0

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal blocks
        blocks += "results.ttft_ms" in statement

    event.listen(Engine, "before_cursor_execute", count)
    try:
        async with serving(database_url) as url:
            async with httpx2.AsyncClient(base_url=url) as client, client.stream("GET", EXPORT) as response:
                await anext(response.aiter_bytes(1_000))
            async with asyncio.timeout(PATIENCE_S):
                while any("run_asgi" in repr(task.get_coro()) for task in asyncio.all_tasks()):
                    await asyncio.sleep(0.02)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert 0 < blocks < RESULTS / ROWS_AT_ONCE


@pytest.mark.heavy
async def test_results_that_come_meanwhile_are_not_in_it(database_of_a_long_run: Database, database_url: str) -> None:
    async with (
        serving(database_url) as url,
        httpx2.AsyncClient(base_url=url) as client,
        client.stream("GET", "/benchmarks/1/export") as response,
    ):
        pieces = response.aiter_bytes(65_536)
        data = await anext(pieces)
        async with database_of_a_long_run.write() as session:
            connection = await session.connection()
            columns = "prompt_index, warmup, outcome, scheduled_at, sent_at, queue_ms, connection_reused, flags"
            await connection.exec_driver_sql(
                f"INSERT INTO results (benchmark_id, repetition, {columns}) "
                f"SELECT 1, 1000000 + repetition, {columns} FROM results LIMIT 5"
            )
        lines = (data + b"".join([piece async for piece in pieces])).count(b"\r\n")
        assert lines == RESULTS + 1
