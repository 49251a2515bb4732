"""An API that is told to stop waits for no client that follows a benchmark."""

import asyncio
import signal
import sys
from pathlib import Path

import httpx2
import pytest

from shared.db.schema.migrate import upgrade
from shared.settings import process_environment
from tests.api.documents import submit
from tests.api.event_stream import received
from tests.support.programs.deployment import Program, answers
from tests.support.programs.ports import free_port
from tests.support.waiting import PATIENCE_S, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_streams_end_when_the_api_stops(tmp_path: Path, number: signal.Signals) -> None:
    """Uvicorn waits for open answers, here without a limit: a stream that did not end would hold it for ever."""
    database_url, port = f"sqlite:///{tmp_path / 'test.db'}", free_port()
    await asyncio.to_thread(upgrade, database_url)
    environment = process_environment(
        DATABASE_URL=database_url,
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
        SIMULATOR_URL="http://127.0.0.1:9",
        LOG_LEVEL="INFO",
    )
    command = [sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app", "--http", "h11"]
    api = Program("api", [*command, "--port", str(port)], environment, tmp_path / "api.log")
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
            await until(lambda: answers(client))
            await submit(client, model="sim", provider="simulator")
            async with client.stream("GET", "/benchmarks/1/events") as response:
                stream = received(response)
                assert (await anext(stream)).event == "status"
                api.signal(number)
                # It ends in good order, without `end`: the client is to connect again, perhaps to another process.
                assert [item.event async for item in stream] == ["progress"]
        await api.ended()
        assert "Application shutdown complete" in api.log.read_text()
    finally:
        api.kill()
