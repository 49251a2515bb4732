"""Waits for the ends of benchmarks: how often the database is read, and what the client learns."""

import asyncio
from collections.abc import Collection

import pytest
import structlog

from api.live.ends import Ends
from shared.benchmark.status import Status
from shared.clock import SystemClock
from shared.db.benchmarks.live_watch import LiveWatch
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.errors import NotFound, Unavailable
from tests.shared.db.rows import Tables
from tests.support.waiting import PATIENCE_S


class Stored:
    """Statuses by id. `reads` has the ids of each read."""

    def __init__(self, **statuses: Status) -> None:
        self.by_id: dict[int, Status] = {int(name[1:]): status for name, status in statuses.items()}
        self.reads: list[set[int]] = []
        self.failure: Exception | None = None
        self._looked = asyncio.Event()

    async def statuses(self, ids: Collection[int]) -> dict[int, Status]:
        self.reads.append(set(ids))
        self._looked.set()
        if self.failure is not None:
            raise self.failure
        return {number: self.by_id[number] for number in ids if number in self.by_id}

    async def next_look(self) -> None:
        self._looked.clear()
        async with asyncio.timeout(PATIENCE_S):
            await self._looked.wait()


def waiting(ends: Ends, number: int = 1, seconds: float = PATIENCE_S) -> "asyncio.Task[bool]":
    return asyncio.create_task(ends.wait_for(Benchmark(id=number), seconds))


async def test_all_that_wait_are_looked_for_in_one_read() -> None:
    numbers = range(1, 51)
    stored = Stored(**dict.fromkeys((f"n{number}" for number in numbers), "running"))
    ends = Ends(stored.statuses, SystemClock())
    waits = [waiting(ends, number) for number in numbers]
    # One client more waits for the same benchmark as another.
    waits.append(waiting(ends, 1))
    await stored.next_look()
    await stored.next_look()
    assert all(read == set(numbers) for read in stored.reads)
    stored.by_id = dict.fromkeys(numbers, "completed")
    assert await asyncio.gather(*waits) == [True] * 51


async def test_nothing_is_read_when_nobody_waits() -> None:
    stored, tasks = Stored(n1="running"), len(asyncio.all_tasks())
    ends = Ends(stored.statuses, SystemClock())
    assert await waiting(ends, seconds=0.001) is False
    first = waiting(ends)
    await stored.next_look()
    stored.by_id[1] = "failed"
    assert await first is True
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == tasks
    # Another client makes it look again.
    assert await waiting(ends) is True


class Shifted(SystemClock):
    """Later by so many seconds."""

    later_s = 0.0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + round(self.later_s * 1e9)


async def test_a_new_client_is_not_kept_by_one_that_has_waited_for_long() -> None:
    """The next look would be due in an hour. That of a new client is due soon, and shows the ends of all others."""
    stored, clock = Stored(n1="running", n2="running"), Shifted()
    ends = Ends(stored.statuses, clock, longest_s=3_600)
    first = waiting(ends, 1, seconds=10_000)
    await stored.next_look()
    clock.later_s = 100_000.0
    await stored.next_look()
    second = waiting(ends, 2)
    await stored.next_look()
    assert stored.reads[-1] == {1, 2}
    stored.by_id = {1: "cancelled", 2: "completed"}
    assert await asyncio.gather(first, second) == [True, True]


async def test_a_deleted_benchmark_is_not_waited_for() -> None:
    stored = Stored(n1="running")
    ends = Ends(stored.statuses, SystemClock())
    waits = [waiting(ends, 1), waiting(ends, 2)]
    with pytest.raises(NotFound):
        await waits[1]
    stored.by_id[1] = "completed"
    assert await waits[0] is True


async def test_a_client_waits_on_while_the_database_is_away() -> None:
    """An error would look as if the benchmark had not been stored."""
    stored = Stored(n1="completed")
    stored.failure = Unavailable("away")
    ends = Ends(stored.statuses, SystemClock())
    with structlog.testing.capture_logs() as logs:
        wait = waiting(ends)
        await stored.next_look()
        await stored.next_look()
        stored.failure = None
        assert await wait is True
    assert [entry["event"] for entry in logs] == ["waits_go_on"]


async def test_an_error_of_our_own_ends_the_waits() -> None:
    stored = Stored(n1="running")
    stored.failure = ZeroDivisionError()
    ends = Ends(stored.statuses, SystemClock())
    with structlog.testing.capture_logs() as logs:
        assert await waiting(ends) is False
    assert [entry["event"] for entry in logs] == ["waits_failed"]


async def test_at_the_stop_nobody_waits_on() -> None:
    ends = Ends(Stored(n1="running").statuses, SystemClock())
    wait = waiting(ends)
    await asyncio.sleep(0)
    ends.close()
    assert await wait is False
    assert await waiting(ends) is False


async def test_statuses_are_read_from_the_database(database: Database) -> None:
    tables = Tables(database)
    pending, running = await tables.add(), await tables.add()
    await tables.claimed()
    found = await LiveWatch(database).statuses([pending, running, 404])
    assert found == {pending: "running", running: "pending"}
