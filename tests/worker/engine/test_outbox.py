"""What the measuring process writes to the worker, and in which order."""

import asyncio
import struct
from typing import Any

from worker.engine.child.outbox import SLICE_BYTES, SLICES_A_TURN, Outbox, Stream
from worker.engine.messages import Began, Dropped, Frames, Report, Slice, Watermark

BEGAN = Began(due_ns=0, started_ns=0, connected_ns=None, tls_ms=None, sent_ns=0, new_connection=False, renewed=0)


class Written(asyncio.Transport):
    """Keeps what is written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self._frames: Frames[Report] = Frames(Report)
        self.writes: list[list[Report]] = []

    def write(self, data: Any) -> None:
        self.writes.append(list(self._frames.feed(bytes(data))))

    def get_write_buffer_size(self) -> int:
        return 0

    @property
    def reports(self) -> list[Report]:
        return [report for write in self.writes for report in write]


class Read:
    """All bytes have been read up to 7 ns."""

    read_until_ns = 7

    def pause(self) -> None: ...

    def resume(self) -> None: ...


def sent(slices: list[Report]) -> list[int]:
    return [part.id for part in slices if isinstance(part, Slice)]


async def test_what_waits_is_done_before_the_ends_of_streams_are_written() -> None:
    written = Written()
    outbox, order = Outbox(written, Read()), []
    loop = asyncio.get_running_loop()
    for number in range(3):
        loop.call_soon(Stream(number, outbox).end, "complete", 1)
        loop.call_soon(order.append, len(written.reports))
    await asyncio.sleep(0)
    assert (order, written.reports) == ([0, 0, 0], [])
    await asyncio.sleep(0)
    assert sent(written.reports) == [0, 1, 2]


async def test_one_turn_of_the_loop_writes_a_bounded_number_of_messages() -> None:
    written = Written()
    outbox = Outbox(written, Read())
    for number in range(2 * SLICES_A_TURN + 1):
        Stream(number, outbox).end("complete", 1)
    for _ in range(3):
        await asyncio.sleep(0)
    assert [len(write) for write in written.writes] == [SLICES_A_TURN, SLICES_A_TURN, 1]
    assert sent(written.reports) == list(range(2 * SLICES_A_TURN + 1))


async def test_the_watermark_follows_everything_that_arrived_before_it() -> None:
    written = Written()
    outbox = Outbox(written, Read())
    flushing = asyncio.create_task(outbox.run())
    streams = [Stream(number, outbox) for number in range(SLICES_A_TURN + 3)]
    for stream in streams:
        stream.began(BEGAN)
        stream.read(5, 0, b"x")
    streams[0].end("complete", 6)
    while not any(isinstance(report, Watermark) for report in written.reports):
        await asyncio.sleep(0.01)
    flushing.cancel()
    assert written.reports[-1] == Watermark(7)
    assert sorted(sent(written.reports)) == list(range(SLICES_A_TURN + 3))


async def test_a_stream_with_much_to_send_waits_once() -> None:
    written = Written()
    stream = Stream(1, Outbox(written, Read()))
    for _ in range(3):
        stream.read(5, 0, b"x" * (SLICE_BYTES + 1))
    stream.end("complete", 6)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first, last = written.reports
    assert isinstance(first, Slice)
    assert isinstance(last, Slice)
    assert (len(first.body), first.end) == (3 * (SLICE_BYTES + 1), None)
    assert struct.unpack("<9q", first.reads)[1::3] == tuple(n * (SLICE_BYTES + 1) for n in (1, 2, 3))
    assert (last.body, last.end is not None) == (b"", True)


async def test_nothing_more_of_a_muted_stream_is_written() -> None:
    written = Written()
    outbox = Outbox(written, Read())
    stream = Stream(1, outbox)
    stream.end("closed", 1)
    stream.mute()
    outbox.say(Dropped([2]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert written.reports == [Dropped([2])]
