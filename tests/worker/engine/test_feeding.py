"""How requests reach the measuring processes: how far ahead, to which process, and what happens to those left over.

The processes are played by the tests, so that nothing depends on how fast this machine is.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from shared.benchmark.load.load import Load, Phase
from shared.benchmark.load.pace import Bursts, ClosedLoop, ConstantRate, Pace, SpreadLoop
from shared.benchmark.load.stop import ForTime
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.clock import monotonic_ns
from tests.support.waiting import PATIENCE_S
from tests.worker.engine.running import collecting, engine_over, load, until
from tests.worker.engine.test_loads import Endless, Times
from worker.engine.children import Child
from worker.engine.engine import Engine
from worker.engine.feeder import MOST_GIVEN, MOST_GIVEN_UP
from worker.engine.messages import (
    Cease,
    Command,
    Dropped,
    End,
    Finish,
    Go,
    Health,
    Hold,
    Late,
    Opened,
    Recall,
    Report,
    Request,
    Requests,
    Returned,
    Slice,
    Stop,
    Watermark,
)
from worker.engine.phase_run import connections_ahead


class PlayedChild(Child):
    """A measuring process that sends nothing. It opens at once, and gives up what it has when the phase or run ends."""

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[int, Request] = {}
        self.commands: list[Command] = []

    def send(self, command: Command) -> None:
        self.commands.append(command)
        match command:
            case Requests(items):
                self.given.update({item.id: item for item in items})
            case Hold():
                self.report(Opened())
            case Cease():
                self.report(Late(self._taken(), monotonic_ns()))
            case Stop():
                self.report(Dropped(self._taken()))
            case Finish():
                self.report(Health({}, 0, None))

    def _taken(self) -> list[int]:
        ids, self.given = list(self.given), {}
        return ids

    def report(self, report: Report) -> None:
        asyncio.get_running_loop().call_soon(lambda: self.on_report and self.on_report(report))

    def end_request(self, request_id: int) -> None:
        del self.given[request_id]
        self.report(Slice(request_id, None, None, b"", b"", True, End("closed", monotonic_ns())))

    def told(self, kind: type[Any]) -> list[Any]:
        return [command for command in self.commands if isinstance(command, kind)]

    def end(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


@asynccontextmanager
async def engine_with(
    work: Load, *children: PlayedChild, sendable: int | None = None
) -> AsyncIterator[tuple[Engine, list[ResultRecord]]]:
    """The running engine, and the records so far. Cancels what is left of the run."""
    engine = await engine_over(children, "http://127.0.0.1:1", "openai")
    if sendable is not None:
        engine.allow(sendable)
    async with collecting(engine, work) as (records, _):
        yield engine, records


def at_pace(pace: Pace, count: int, **phase: Any) -> Load:
    return Load(load(*["m"] * count).workload, [Phase(pace, **phase)])


async def test_what_is_due_within_a_second_is_given_before_there_is_room_for_it() -> None:
    child = PlayedChild()
    async with engine_with(at_pace(ConstantRate(10, 1), 100), child):
        await until(lambda: len(child.given) >= 11)
        assert [request.offset_ns for request in child.given.values()][:11] == [n * 100_000_000 for n in range(11)]
        assert len(child.given) < 50, "not the whole schedule"


async def test_twice_the_room_is_given_however_far_away_it_is() -> None:
    child = PlayedChild()
    async with engine_with(at_pace(ConstantRate(1 / 3_600, 4), 100), child):
        await until(lambda: len(child.given) == 8)


async def test_what_is_overdue_is_given_only_up_to_a_bound() -> None:
    child = PlayedChild()
    async with engine_with(at_pace(Bursts(5_000, 3_600, 1), 5_000), child):
        await until(lambda: len(child.given) >= 500)
        await asyncio.sleep(0.05)
        assert len(child.given) == 501


async def test_a_request_does_not_wait_for_a_busy_process_while_another_has_room() -> None:
    idle, busy = PlayedChild(), PlayedChild()
    async with engine_with(at_pace(Bursts(6, 3_600, 2), 6), idle, busy):
        await until(lambda: (len(idle.given), len(busy.given)) == (3, 3))
        for request_id in list(idle.given):
            idle.end_request(request_id)
        await until(lambda: len(busy.told(Recall)) == 1)
        assert busy.told(Recall)[0].most == 1, "that is the room of the other"
        _, moved, _ = busy.given
        body = busy.given.pop(moved).body
        busy.report(Returned([moved]))
        await until(lambda: [request.body for request in idle.given.values()] == [body])
        await asyncio.sleep(0.02)
        assert len(busy.told(Recall)) == 1, "both are full: each keeps what it has"


async def test_a_process_that_has_sent_all_meanwhile_gives_nothing_back() -> None:
    idle, busy = PlayedChild(), PlayedChild()
    async with engine_with(at_pace(Bursts(4, 3_600, 2), 4), idle, busy):
        await until(lambda: (len(idle.given), len(busy.given)) == (2, 2))
        for request_id in list(idle.given):
            idle.end_request(request_id)
        await until(lambda: len(busy.told(Recall)) == 1)
        busy.report(Returned([]))
        for request_id in list(busy.given):
            busy.end_request(request_id)
        await until(lambda: len(busy.told(Finish)) == 1)


async def test_what_was_due_and_never_left_the_worker_is_dropped_and_counted() -> None:
    child = PlayedChild()
    pace = Times(iter([*(n / 100 for n in range(10)), 3_600]), in_flight=1)
    async with engine_with(at_pace(pace, 11, stop=ForTime(0.3)), child, sendable=3) as (engine, records):
        await until(lambda: len(child.told(Cease)) == 1)
        await until(lambda: len(records) == 3)
        assert not child.told(Finish), "the others wait until they may be recorded"
        engine.allow(6)
        await until(lambda: len(records) == 6)
        engine.allow(50)
        await until(lambda: len(child.told(Finish)) == 1)
        assert sorted(record.id.place for record in records) == list(range(10)), "the last one was not due"
        assert {record.outcome for record in records} == {"dropped"}
        assert all(record.ends_place for record in records)
        assert [record.metrics["queue_ms"] for record in records][-1] == pytest.approx(210, abs=200)
        assert engine.phase_ended_by == "duration"
        assert engine.exhausted


class Counted(Endless):
    """Counts the requests that are made of it."""

    made = 0

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        self.made += 1
        return super().item(place, turn, answers)


def burst(workload: Workload) -> Load:
    """Of 2,000 requests with room for one. Those that have not begun after 50 ms are dropped."""
    return Load(workload, [Phase(Bursts(2_000, 3_600, 1), 2_000, drop_after_ns=50_000_000)])


async def leave_late(child: PlayedChild) -> None:
    """Ends the first request when 1,499 others, which the process does not have, are too late."""
    await until(lambda: len(child.given) == 501)
    await asyncio.sleep(0.1)
    child.end_request(next(iter(child.given)))


async def test_what_is_too_late_before_it_is_given_is_dropped_in_small_steps() -> None:
    """Between them, other runs of the worker go on."""
    child, workload = PlayedChild(), Counted("m")
    async with engine_with(burst(workload), child) as (_, records):
        await leave_late(child)
        made = [workload.made]
        async with asyncio.timeout(PATIENCE_S):
            while len(records) < 1_500:
                await asyncio.sleep(0)
                made.append(workload.made)
        assert [record.outcome for record in records].count("dropped") == 1_499
        assert max(after - before for before, after in pairwise(made)) <= 2 * MOST_GIVEN_UP


async def test_a_large_first_wave_is_given_in_small_steps() -> None:
    """Between them, other runs of the worker go on. The phase begins when all of it is there."""
    child, workload = PlayedChild(), Counted("m")
    async with engine_with(Load(workload, [Phase(ClosedLoop(2_000), 2_000)]), child):
        made = [workload.made]
        async with asyncio.timeout(PATIENCE_S):
            while len(child.given) < 2_000:
                await asyncio.sleep(0)
                made.append(workload.made)
        assert max(after - before for before, after in pairwise(made)) <= 2 * MOST_GIVEN
        # The wave came in several messages, and all of them before the start.
        await until(lambda: any(isinstance(command, Go) for command in child.commands))
        kinds = [type(command) for command in child.commands if isinstance(command, Requests | Go)]
        assert kinds[-1] is Go
        assert len(kinds) > 2_000 // MOST_GIVEN


async def test_a_run_that_is_closed_takes_no_further_step() -> None:
    child, workload = PlayedChild(), Counted("m")
    run = (await engine_over([child], "http://127.0.0.1:1", "openai")).run(burst(workload))
    first = asyncio.create_task(anext(run))
    await leave_late(child)
    await first
    await run.aclose()
    made = workload.made
    assert made < 2_000, "it was closed in the middle"
    for _ in range(3):
        await asyncio.sleep(0)
    assert workload.made == made


async def test_requests_that_are_not_due_are_not_in_flight() -> None:
    child = PlayedChild()
    async with engine_with(at_pace(ConstantRate(10, 50), 100), child) as (engine, _):
        await until(lambda: len(child.given) >= 50)
        assert engine.in_flight == 0
        child.report(Watermark(monotonic_ns(), in_flight=3))
        await until(lambda: engine.in_flight == 3)


async def test_each_phase_opens_its_connections_before_it_starts() -> None:
    children = PlayedChild(), PlayedChild()
    phases = [Phase(ClosedLoop(2), end=2), Phase(ClosedLoop(16), first=2)]
    async with engine_with(Load(load(*["m"] * 18).workload, phases), *children):
        await until(lambda: all(len(child.given) == 1 for child in children))
        for child in children:
            child.end_request(*child.given)
        await until(lambda: all(len(child.given) == 8 for child in children))
        for child in children:
            assert [hold.connections for hold in child.told(Hold)] == [1, 8]


@pytest.mark.parametrize(
    ("pace", "connections"),
    [
        (ClosedLoop(32), 32),
        (SpreadLoop(32, 10), 1),
        (ConstantRate(20, 200), 21),
        (ConstantRate(500, 200), 200),
        (ConstantRate(0.1, 10), 1),
        (Bursts(100, 10, 300), 100),
        (Times(iter([5.0, 5.1])), 1),
    ],
)
def test_an_open_loop_opens_the_connections_of_its_first_second(pace: Pace, connections: int) -> None:
    assert connections_ahead(pace) == connections


def test_the_rest_of_a_schedule_opens_the_connections_of_its_next_second() -> None:
    pace = Times(iter([0.0, 0.1, 0.2, 5.0, 5.5, 9.0]))
    assert connections_ahead(pace, gone_ns=5_000_000_000) == 2


async def test_nothing_is_sent_after_a_rule_has_ended_the_phase() -> None:
    child = PlayedChild()
    work = Load(Endless("m"), [Phase(ClosedLoop(1), stop=ForTime(0.1))])
    async with engine_with(work, child) as (engine, _):
        await until(lambda: len(child.told(Finish)) == 1)
        assert len(child.told(Cease)) == 1
        assert engine.exhausted


async def test_a_phase_begins_with_fewer_than_its_first_wave_if_no_more_is_allowed() -> None:
    """Three of eight are paid for. It begins with them, and goes on with each that is allowed later."""
    child = PlayedChild()
    async with engine_with(at_pace(ClosedLoop(8), 20), child, sendable=0) as (engine, _):
        await until(lambda: bool(child.told(Hold)))
        # Nothing is allowed: it waits for the first one.
        engine.allow(0, limited=True)
        await asyncio.sleep(0.01)
        assert child.told(Go) == []
        engine.allow(3, limited=True)
        await until(lambda: bool(child.told(Go)))
        assert len(child.given) == 3
        engine.allow(5, limited=True)
        await until(lambda: len(child.given) == 5)


async def test_a_phase_waits_for_its_first_wave_if_more_will_be_allowed() -> None:
    child = PlayedChild()
    async with engine_with(at_pace(ClosedLoop(8), 20), child, sendable=3) as (engine, _):
        await until(lambda: len(child.given) == 3)
        await asyncio.sleep(0.01)
        assert child.told(Go) == []
        engine.allow(16)
        await until(lambda: bool(child.told(Go)))
