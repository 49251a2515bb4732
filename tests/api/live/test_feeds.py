"""Feeds: who gets which state, and when the database is read."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.live.feeds import Feed, Feeds, TooManyListeners
from shared.db.benchmarks.live import LiveRepository, LiveState
from shared.errors import NotFound, Unavailable

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def state(number: int = 1, **changes: Any) -> LiveState:
    nothing = dict.fromkeys(("completed_at", "cancel_requested_at", "last_ttft_ms", "cost_usd", "live", "error"))
    values: dict[str, Any] = {
        "id": number,
        "status": "running",
        "created_at": AT,
        "started_at": AT,
        "planned": 10,
        "done": 0,
        "errors": 0,
        "notices": [],
        "unclaimable": None,
        "interrupted": False,
        "read_at": AT,
    }
    return LiveState(**nothing | values | changes)


class Stored(LiveRepository):
    """In place of both repositories: states by id. `reads` has the ids of each read."""

    def __init__(self, *states: LiveState) -> None:
        self.by_id = {item.id: item for item in states}
        self.reads: list[list[int]] = []
        self.failure: Exception | None = None
        self.looked = asyncio.Event()

    def put(self, number: int = 1, **changes: Any) -> None:
        self.by_id[number] = state(number, **changes)

    async def states(self, ids: Collection[int]) -> dict[int, LiveState]:
        self.reads.append(list(ids))
        self.looked.set()
        if self.failure is not None:
            raise self.failure
        return {number: self.by_id[number] for number in ids if number in self.by_id}

    async def next_look(self) -> None:
        self.looked.clear()
        await self.looked.wait()


def feeds_of(stored: Stored, **options: Any) -> Feeds:
    return Feeds(stored, **{"every_s": 0.001, **options})  # type: ignore[arg-type]


async def done(states: AsyncIterator[LiveState | None]) -> int:
    found = await anext(states)
    assert found is not None
    return found.done


async def test_a_listener_gets_the_present_state_and_each_change() -> None:
    stored = Stored(state())
    async with feeds_of(stored).listen(1, stored) as feed:
        states = feed.states()
        assert await done(states) == 0
        stored.put(done=1)
        assert await done(states) == 1
        stored.put(done=2, status="completed")
        assert await done(states) == 2
        assert [item async for item in states] == []


async def test_a_slow_listener_gets_only_the_newest_state() -> None:
    stored = Stored(state())
    async with feeds_of(stored).listen(1, stored) as feed:
        states = feed.states()
        await anext(states)
        for number in range(1, 6):
            stored.put(done=number)
            await stored.next_look()
            await stored.next_look()
        assert await done(states) == 5
        waiting = asyncio.ensure_future(anext(states))
        await stored.next_look()
        assert not waiting.done()
        stored.put(done=6)
        assert (await waiting) == stored.by_id[1]


async def test_one_read_serves_all_listeners_and_the_last_one_stops_it() -> None:
    stored = Stored(state(1), state(2))
    feeds = feeds_of(stored)
    before = asyncio.all_tasks()
    async with feeds.listen(1, stored), feeds.listen(1, stored), feeds.listen(2, stored):
        assert (feeds.listeners, len(asyncio.all_tasks() - before)) == (3, 1)
        stored.reads.clear()
        await stored.next_look()
        await stored.next_look()
        assert all(sorted(ids) == [1, 2] for ids in stored.reads)
    await asyncio.sleep(0)
    assert (feeds.listeners, asyncio.all_tasks() - before) == (0, set())


async def test_an_ended_benchmark_is_not_read_again() -> None:
    stored = Stored(state(1, status="completed"), state(2))
    feeds = feeds_of(stored)
    async with feeds.listen(1, stored), feeds.listen(2, stored):
        stored.reads.clear()
        await stored.next_look()
        assert stored.reads[-1] == [2]


async def test_a_deleted_benchmark_ends_with_none() -> None:
    stored = Stored(state())
    async with feeds_of(stored).listen(1, stored) as feed:
        states = feed.states()
        await anext(states)
        stored.by_id.clear()
        assert [item async for item in states] == [None]


async def test_listeners_stay_while_the_database_is_away() -> None:
    stored = Stored(state())
    async with feeds_of(stored).listen(1, stored) as feed:
        states = feed.states()
        await anext(states)
        stored.failure = Unavailable("gone")
        stored.put(done=3)
        await stored.next_look()
        await stored.next_look()
        stored.failure = None
        assert await done(states) == 3


async def test_a_failure_of_the_watcher_ends_the_streams_and_the_next_listener_starts_another() -> None:
    stored = Stored(state())
    feeds = feeds_of(stored)
    async with feeds.listen(1, stored) as feed:
        states = feed.states()
        await anext(states)
        stored.failure = RuntimeError("a fault")
        assert [item async for item in states] == []
        stored.failure = None
        async with feeds.listen(1, stored) as other:
            states = other.states()
            await anext(states)
            stored.put(done=1)
            assert await done(states) == 1


async def test_the_end_of_the_process_ends_all_streams_at_once() -> None:
    stored = Stored(state())
    feeds = feeds_of(stored, every_s=3600)
    async with feeds.listen(1, stored) as feed:
        states = feed.states()
        await anext(states)
        rest = asyncio.ensure_future(anext(states, "ended"))
        feeds.close()
        assert await rest == "ended"
        async with feeds.listen(1, stored) as late:
            assert [item async for item in late.states()] == []


async def test_there_are_at_most_so_many_listeners() -> None:
    stored = Stored(state())
    feeds = feeds_of(stored, most=2)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(feeds.listen(1, stored))
        with pytest.raises(TooManyListeners, match="2 listeners"):
            await stack.enter_async_context(feeds.listen(1, stored))
    async with feeds.listen(1, stored):
        pass


async def test_a_failed_request_takes_no_place() -> None:
    stored = Stored()
    feeds = feeds_of(stored, most=1)
    for _ in range(2):
        with pytest.raises(NotFound):
            await feeds.listen(1, stored).__aenter__()
    stored.failure = Unavailable("gone")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await feeds.listen(1, stored).__aenter__()
    assert feeds.listeners == 0


def test_a_read_that_was_overtaken_changes_nothing() -> None:
    feed = Feed(state(done=5, read_at=AT))
    feed.update(state(done=4, read_at=AT - timedelta(seconds=1)))
    assert feed.state is not None
    assert feed.state.done == 5
