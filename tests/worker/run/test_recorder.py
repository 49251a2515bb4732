"""Results wait for a database that is away, and are lost only with the lease."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.record import ResultRecord
from shared.clock import SystemClock
from shared.db.connection.database import Database
from shared.db.runs.lease import Lease
from shared.db.runs.results import ResultRepository
from shared.errors import LeaseLost, Unavailable
from tests.support.streams import openai_stream
from tests.support.waiting import PATIENCE_S
from tests.worker.engine.measuring import measure
from worker.run.recorder import MAX_BATCH, MAX_PAUSE_S, Recorder
from worker.run.send_window import SendWindow

LEASE = Lease(benchmark_id=1, fence=1, worker_id="w")


class FailingRepository(ResultRepository):
    """Raises what it is given, one after the other, then stores in memory."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.stored: list[list[ResultRecord]] = []
        self.marks: list[int | None] = []
        self.live: list[dict[str, Any] | None] = []

    async def record(
        self,
        lease: Lease,
        records: Sequence[ResultRecord],
        *,
        dispatched: int | None = None,
        live: dict[str, Any] | None = None,
    ) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.stored.append(list(records))
        self.marks.append(dispatched)
        self.live.append(live)


async def recorded(repository: FailingRepository, count: int) -> list[list[ResultRecord]]:
    record = measure("openai", [(10, openai_stream("Hi"))])
    sendable: list[int] = []
    recorder = Recorder(repository, LEASE, SystemClock(), sendable.append, Counter())
    results = RunAggregate(1)
    recorder.enter(SendWindow(iter(range(1_000)), 1))
    recorder.open_stage({None: results})
    for _ in range(count):
        recorder.add(record)
    recorder.close()
    async with asyncio.timeout(PATIENCE_S):
        await recorder.run()
    # What may be sent is told after it is stored, and it is what was stored.
    assert sendable == repository.marks
    assert sendable == sorted(sendable)
    assert results.succeeded == count, "what is stored is in the aggregate"
    return repository.stored


async def test_what_has_ended_goes_into_one_transaction() -> None:
    assert [len(batch) for batch in await recorded(FailingRepository(), 5)] == [5]


async def test_a_transaction_is_bounded() -> None:
    stored = await recorded(FailingRepository(), MAX_BATCH + 1)
    assert [len(batch) for batch in stored] == [MAX_BATCH, 1]


async def test_results_wait_while_the_database_is_away() -> None:
    away = FailingRepository(Unavailable("gone"), Unavailable("still gone"))
    assert [len(batch) for batch in await recorded(away, 3)] == [3]


async def test_a_lost_lease_ends_the_recording() -> None:
    with pytest.raises(LeaseLost):
        await recorded(FailingRepository(LeaseLost("gone")), 1)


class SlowDatabase(SystemClock):
    """Time as it is where every transaction takes ten seconds. The pause after one is then as long as it may be."""

    now_ns = 0

    def monotonic_ns(self) -> int:
        self.now_ns += 10_000_000_000
        return self.now_ns


async def test_turns_that_are_held_are_not_kept_waiting_by_the_pause_and_are_told_what_is_stored() -> None:
    record = replace(measure("openai", [(10, openai_stream("Hi"))]), ends_place=False, holds_next_turn=True)
    stored: list[RequestId] = []
    recorder = Recorder(FailingRepository(), LEASE, SlowDatabase(), lambda mark: None, Counter(), stored=stored.extend)
    recorder.enter(SendWindow(iter(range(1_000)), 50))
    recorder.open_stage({None: RunAggregate(1)})
    running = asyncio.create_task(recorder.run())
    # With all pauses these would take ten seconds.
    async with asyncio.timeout(40 * MAX_PAUSE_S / 2):
        for turn in range(40):
            recorder.add(replace(record, id=RequestId(0, turn)))
            while len(stored) <= turn:
                await asyncio.sleep(0.001)
        recorder.close()
        await running
    assert stored == [(0, turn) for turn in range(40)]


async def test_a_database_that_refuses_connections_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable, match="does not answer"):
        await anext(ResultRepository(database).keys(1))
    await database.close()


async def test_the_numbers_so_far_are_stored_with_the_results_about_once_a_second() -> None:
    clock, repository, results = TickingClock(), FailingRepository(), RunAggregate(1)
    recorder = Recorder(repository, LEASE, clock, lambda _: None, Counter())
    recorder.enter(SendWindow(iter(range(100)), 1))
    recorder.open_stage({None: results})
    running = asyncio.create_task(recorder.run())
    for number in range(4):
        clock.now_ns += 600_000_000
        recorder.add(measure("openai", [(10, openai_stream("Hi"))]))
        async with asyncio.timeout(PATIENCE_S):
            while results.count <= number:
                await asyncio.sleep(0)
    recorder.close()
    await running
    counts = [None if live is None else live["ttft_ms"]["count"] for live in repository.live]
    assert counts == [None, 1, None, 3]


class TickingClock(SystemClock):
    """Stands still unless it is moved."""

    now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns
