"""A stream of events ends when its key is revoked, its session ends, or open access does."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from api.access.caller import CALLER
from api.access.lasting import EVERY_S, Lasting
from shared.access.caller import LOCAL, Caller
from shared.errors import Unavailable
from tests.api.access.keys import KeyMaker, bearer
from tests.api.conftest import SIMULATOR
from tests.api.documents import EXAMPLE
from tests.api.event_stream import received
from tests.shared.db.rows import Tables, make_record
from tests.support.ports import free_port
from tests.support.served import served_api
from tests.support.service import make_settings
from tests.support.waiting import PATIENCE_S


class Time:
    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic_ns(self) -> int:
        return int(self.seconds * 1e9)


class World:
    """What keys and sessions say now; `looks` counts how often they were asked."""

    def __init__(self) -> None:
        self.are_any = False
        self.state: str | None = "usable"
        self.session: object | None = object()
        self.away = False
        self.looks = 0

    async def are_keys(self) -> bool:
        return self._answered(self.are_any)

    async def by_id(self, _key_id: str) -> Any:
        return self._answered(None if self.state is None else SimpleNamespace(state=self.state))

    async def of(self, _scope: object) -> Any:
        return self._answered(self.session)

    def _answered(self, answer: Any) -> Any:
        self.looks += 1
        if self.away:
            raise Unavailable("the database does not answer")
        return answer


def made(caller: Caller, world: World, time: Time) -> Lasting:
    access: Any = SimpleNamespace(keys=world, sessions=world)
    clock: Any = time
    return Lasting(Request({"type": "http", "state": {CALLER: caller}}), access, clock)


@pytest.mark.parametrize(
    ("caller", "end"),
    [
        (LOCAL, {"are_any": True}),
        (Caller("acme", "read", "ab12cd34", "key"), {"state": "revoked"}),
        (Caller("acme", "read", "ab12cd34", "key"), {"state": "expired"}),
        (Caller("acme", "read", "ab12cd34", "session"), {"session": None}),
    ],
)
async def test_it_ends_when_the_caller_would_be_refused(caller: Caller, end: dict[str, Any]) -> None:
    world, time = World(), Time()
    lasting = made(caller, world, time)
    time.seconds += EVERY_S
    assert await lasting.may_go_on()
    for name, value in end.items():
        setattr(world, name, value)
    # The last look was a moment ago.
    assert await lasting.may_go_on()
    assert world.looks == 1
    time.seconds += EVERY_S
    assert not await lasting.may_go_on()


async def test_it_goes_on_while_the_database_is_away() -> None:
    world, time = World(), Time()
    lasting = made(Caller("acme", "read", "ab12cd34", "key"), world, time)
    world.away = True
    time.seconds += EVERY_S
    assert await lasting.may_go_on()


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
