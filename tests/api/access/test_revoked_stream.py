"""A stream of events through a real server ends after its key was revoked."""

import asyncio
from typing import Any

import pytest

from tests.api.access.keys import KeyMaker, bearer
from tests.api.conftest import SIMULATOR
from tests.api.documents import EXAMPLE
from tests.api.event_stream import received
from tests.shared.db.rows import Tables, make_record
from tests.support.programs.ports import free_port
from tests.support.servers.served import served_api
from tests.support.service import make_settings
from tests.support.waiting import PATIENCE_S


async def test_a_stream_of_events_ends_after_its_key_was_revoked(sqlite_url: str, maker: KeyMaker) -> None:
    key = await maker.make("run")
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR)
    tables = Tables(maker.database)
    async with served_api(settings) as (client, _), asyncio.timeout(PATIENCE_S):
        body = {**EXAMPLE, "model": "sim", "provider": "simulator", "prompts": ["x"], "repetitions": 100}
        assert (await client.post("/benchmarks", json=body, headers=bearer(key))).status_code == 202
        lease = await tables.claimed()
        await tables.leases.begin(lease, dispatched=100, price=None)
        async with client.stream("GET", "/benchmarks/1/events", headers=bearer(key)) as response:
            assert response.status_code == 200
            await maker.revoke(key)
            kinds: list[str] = []
            recording = asyncio.create_task(_record(tables, lease))
            try:
                kinds += [item.event async for item in received(response)]
            finally:
                recording.cancel()
        assert "progress" in kinds
        assert "end" not in kinds
        with pytest.raises(asyncio.CancelledError):
            await recording


async def _record(tables: Tables, lease: Any) -> None:
    """A result every half a second, each of which is an event."""
    for repetition in range(100):
        await tables.results.record(lease, [make_record(0, repetition)])
        await asyncio.sleep(0.5)
