"""The load of one measuring process: its room, its limit of requests without an answer, think time, late requests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.clock import monotonic_ns
from tests.support.waiting import PATIENCE_S
from worker.engine.child.load import Load
from worker.engine.child.outbox import Outbox, Stream
from worker.engine.child.room import Room
from worker.engine.messages import Dropped, Go, Late, Report, Request, Returned

MS = 1_000_000
HOUR = 3_600 * 10**9


class HeardOutbox(Outbox):
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.said: list[Report] = []

    def say(self, report: Report) -> None:
        self.said.append(report)

    def wait(self, stream: Stream) -> None: ...

    def send(self, stream: Stream, end: Any = None) -> None: ...

    async def room(self) -> None: ...

    @property
    def late(self) -> list[int]:
        return [request_id for report in self.said if isinstance(report, Late) for request_id in report.ids]

    @property
    def returned(self) -> list[int]:
        return [request_id for report in self.said if isinstance(report, Returned) for request_id in report.ids]

    @property
    def dropped(self) -> list[int]:
        return [request_id for report in self.said if isinstance(report, Dropped) for request_id in report.ids]


@dataclass
class Sent:
    """A request on its way: the test answers and ends it."""

    stream: Stream
    due_ns: int
    sent_ns: int
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self) -> None:
        self.stream.read(monotonic_ns(), 0, b"x")

    def end(self) -> None:
        self.stream.end("complete")
        self.over.set()


class Server:
    """Stands for all slots and what is behind them."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._changed = asyncio.Event()

    async def exchange(self, body: bytes, stream: Stream, due_ns: int) -> None:
        sent = Sent(stream, due_ns, monotonic_ns())
        self.sent.append(sent)
        self._changed.set()
        await sent.over.wait()

    @property
    def in_flight(self) -> list[Sent]:
        return [sent for sent in self.sent if not sent.over.is_set()]

    @property
    def ids(self) -> list[int]:
        return [sent.stream.id for sent in self.sent]

    connected = False

    async def open(self) -> None: ...

    def abort(self) -> None:
        for sent in self.in_flight:
            sent.stream.end("closed")
            sent.over.set()

    async def close(self) -> None: ...


@asynccontextmanager
async def running(slots: int) -> AsyncIterator[tuple[Load, Server, HeardOutbox]]:
    outbox, server = HeardOutbox(), Server()
    load = Load([server] * slots, outbox)
    task = asyncio.create_task(load.run())
    await settle()
    try:
        yield load, server, outbox
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settle() -> None:
    """Lets everything run that is ready."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)


def requests(count: int, offsets_ms: list[float] | None = None) -> list[Request]:
    return [
        Request(number, b"", offset_ns=None if offsets_ms is None else int(offsets_ms[number] * MS))
        for number in range(count)
    ]


async def test_no_more_requests_wait_for_an_answer_than_may() -> None:
    async with running(slots=8) as (load, server, _):
        load.add(requests(8))
        load.go(Go(monotonic_ns(), [(0, 8)], max_prefill=2))
        await settle()
        assert server.ids == [0, 1]
        server.sent[0].answer()
        await settle()
        assert server.ids == [0, 1, 2], "the first goes on, but waits for its first token no more"
        server.sent[0].answer()
        await settle()
        assert len(server.sent) == 3, "only the first bytes count"
        server.sent[1].end()
        await settle()
        assert server.ids == [0, 1, 2, 3], "one that ends without an answer waits no more either"
        for sent in server.sent[2:]:
            sent.answer()
            sent.end()
        await settle()
        assert server.ids == [0, 1, 2, 3, 4, 5]


async def test_a_request_that_the_limit_held_back_could_not_have_been_sent_before() -> None:
    async with running(slots=2) as (load, server, _):
        load.add(requests(2))
        load.go(Go(monotonic_ns(), [(0, 2)], max_prefill=1))
        await settle()
        await asyncio.sleep(0.02)
        server.sent[0].answer()
        await settle()
        assert server.sent[1].due_ns - server.sent[0].due_ns >= 20 * MS


async def test_a_new_phase_has_a_limit_of_its_own() -> None:
    async with running(slots=4) as (load, server, _):
        load.add(requests(2))
        load.go(Go(monotonic_ns(), [(0, 4)], max_prefill=1))
        await settle()
        for _ in range(2):
            server.in_flight[0].end()
            await settle()
        load.hold()
        load.add(requests(4))
        load.go(Go(monotonic_ns(), [(0, 4)]))
        await settle()
        assert len(server.in_flight) == 4


async def test_a_request_that_waits_too_long_for_room_is_reported_as_late() -> None:
    async with running(slots=1) as (load, server, outbox):
        load.add(requests(3, [0, 1, 2]))
        load.go(Go(monotonic_ns(), [(0, 1)], drop_after_ns=30 * MS))
        await until(lambda: len(outbox.late) == 2)
        assert server.ids == [0], "all slots are busy, and still the others are given up in time"
        assert outbox.late == [1, 2]
        report = next(report for report in outbox.said if isinstance(report, Late))
        assert report.at_ns <= monotonic_ns()
        server.sent[0].end()
        load.add([Request(7, b"", offset_ns=HOUR)])
        await settle()
        assert (server.ids, outbox.dropped) == ([0], [])


async def test_a_request_that_waits_for_a_first_token_too_long_is_late_too() -> None:
    async with running(slots=4) as (load, server, outbox):
        load.add(requests(2, [0, 0]))
        load.go(Go(monotonic_ns(), [(0, 4)], max_prefill=1, drop_after_ns=30 * MS))
        await until(lambda: outbox.late == [1])
        assert server.ids == [0]


async def test_without_a_limit_a_request_is_sent_late_and_says_since_when_there_was_room() -> None:
    async with running(slots=1) as (load, server, outbox):
        begin_ns = monotonic_ns()
        load.add(requests(2, [0, 1]))
        load.go(Go(begin_ns, [(0, 1)]))
        await settle()
        await asyncio.sleep(0.03)
        server.sent[0].end()
        await until(lambda: len(server.sent) == 2)
        assert server.sent[1].due_ns == server.sent[0].stream.ended_ns, "it was due before, but found no room"
        assert server.sent[1].sent_ns >= begin_ns + 30 * MS
        assert outbox.late == []


async def test_what_was_due_when_sending_ends_is_late_and_what_was_not_is_dropped() -> None:
    async with running(slots=1) as (load, server, outbox):
        load.add([*requests(3, [0, 1, 2]), Request(9, b"", offset_ns=HOUR)])
        load.go(Go(monotonic_ns(), [(0, 1)], send_for_ns=20 * MS))
        await settle()
        await asyncio.sleep(0.03)
        load.cease()
        assert (server.ids, outbox.late, outbox.dropped) == ([0], [1, 2], [9])


async def test_a_drained_run_gives_its_requests_back() -> None:
    """Another worker will send them, so they are not late."""
    async with running(slots=1) as (load, _, outbox):
        load.add(requests(3, [0, 0, 0]))
        load.go(Go(monotonic_ns(), [(0, 1)], drop_after_ns=HOUR))
        await settle()
        load.drain()
        assert (outbox.late, outbox.dropped) == ([], [1, 2])


async def test_a_stream_thinks_after_each_answer() -> None:
    async with running(slots=2) as (load, server, _):
        load.add(requests(4))
        load.go(Go(monotonic_ns(), [(0, 2)], think_ns=40 * MS))
        await settle()
        assert server.ids == [0, 1]
        server.sent[0].end()
        await settle()
        assert server.ids == [0, 1], "its stream thinks"
        await until(lambda: len(server.sent) == 3)
        ended_ns = server.sent[0].stream.ended_ns
        assert ended_ns is not None
        assert server.sent[2].due_ns == ended_ns + 40 * MS, "it could not have been sent before"
        assert server.sent[2].sent_ns >= ended_ns + 40 * MS
        assert len(server.in_flight) == 2


async def test_a_phase_begins_with_all_its_room_though_streams_of_the_phase_before_think() -> None:
    async with running(slots=2) as (load, server, _):
        load.add(requests(2))
        load.go(Go(monotonic_ns(), [(0, 2)], think_ns=HOUR))
        await settle()
        for sent in server.in_flight:
            sent.end()
        await settle()
        load.hold()
        load.add(requests(2))
        load.go(Go(monotonic_ns(), [(0, 2)]))
        await settle()
        assert len(server.in_flight) == 2


def test_a_unit_that_rests_is_not_taken() -> None:
    room = Room()
    room.begin(0, [(0, 1), (500, 2)])
    assert room.take(10) == 0
    room.free(100)
    assert room.take(50) is None
    assert room.next_change_ns(50) == 100
    assert room.take(100) == 100
    assert room.next_change_ns(100) == 500
    assert room.take(500) == 500
    assert room.next_change_ns(500) is None


def test_free_room_is_no_change_to_wait_for() -> None:
    """It would be a timer of no length, again and again."""
    room = Room()
    room.begin(0, [(0, 1)])
    assert room.next_change_ns(10) is None


@pytest.mark.parametrize("step", [(50, 0), (50, 1)])
def test_a_unit_that_rests_leaves_if_the_room_shrinks(step: tuple[int, int]) -> None:
    room = Room()
    room.begin(0, [(0, 2), step])
    room.take(0)
    room.take(0)
    room.free(100)
    room.free(100)
    room.take(60)
    taken = [room.take(200) for _ in range(2)]
    assert [at for at in taken if at is not None] == [100] * step[1]
