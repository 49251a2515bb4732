"""Collects what was seen of each request and sends it to the worker in slices."""

import asyncio
from array import array
from collections import deque
from collections.abc import Callable
from typing import Protocol

from shared.clock import monotonic_ns
from worker.engine.messages import Began, End, EndKind, Head, Report, Slice, Watermark, frame

# How often the worker hears of a stream in flight. Each time costs some 40 µs, as much as 10 to 20 events.
FLUSH_EVERY_S = 0.5
# A stream with more body bytes than this does not wait for the flush.
SLICE_BYTES = 64_000
# The most messages that are written in one turn of the loop, so that they delay neither reads nor requests.
SLICES_A_TURN = 16
# Bytes that the worker has not taken yet. Above the first, no request is begun; above the second, nothing is read.
FULL_BYTES = 16_000_000
OVERFULL_BYTES = 64_000_000


class Stream:
    """What was seen of one request. The slot calls `began`, `head`, `read` and `end` in this order."""

    __slots__ = (
        "_began",
        "_body",
        "_head",
        "_outbox",
        "_reads",
        "_size",
        "due",
        "ended_ns",
        "id",
        "kernel",
        "muted",
        "on_answer",
        "waiting",
    )

    def __init__(self, request_id: int, outbox: "Outbox") -> None:
        self.id = request_id
        # When it ended; None while it goes on.
        self.ended_ns: int | None = None
        # Whether it is in the outbox's list for the next flush.
        self.waiting = False
        # Whether the outbox is about to write a slice of it.
        self.due = False
        # Whether all stamps are the kernel's.
        self.kernel = True
        self.muted = False
        # Called once with the stamp of the first body bytes, or of the end if there were none.
        self.on_answer: Callable[[int], None] | None = None
        self._outbox = outbox
        self._began: Began | None = None
        self._head: Head | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._reads = array("q")

    def began(self, began: Began) -> None:
        self._began = began
        self._outbox.wait(self)

    def head(self, status: int, headers: dict[str, str]) -> None:
        self._head = Head(status, headers)
        self._outbox.wait(self)

    def read(self, stamp_ns: int, late_us: int, data: bytes) -> None:
        """Body bytes of one read. The first of them may have arrived up to `late_us` before the stamp."""
        if self.on_answer is not None:
            self._answer(stamp_ns)
        self._body.append(data)
        self._size += len(data)
        # Three calls take half as long as one with a tuple.
        reads = self._reads
        reads.append(stamp_ns)
        reads.append(self._size)
        reads.append(late_us)
        if self._size > SLICE_BYTES:
            self._outbox.send(self)
        elif not self.waiting:
            self._outbox.wait(self)

    def end(
        self, kind: EndKind, stamp_ns: int | None = None, message: str = "", *, network_rtt_ns: int | None = None
    ) -> None:
        """The request has ended. Only the first call counts."""
        if self.ended_ns is None:
            self.ended_ns = stamp_ns if stamp_ns is not None else monotonic_ns()
            self._answer(self.ended_ns)
            self._outbox.send(self, End(kind, self.ended_ns, message, network_rtt_ns))

    def _answer(self, stamp_ns: int) -> None:
        if (told := self.on_answer) is not None:
            self.on_answer = None
            told(stamp_ns)

    def mute(self) -> None:
        """Nothing more of it is sent to the worker."""
        self.muted = True

    def take(self, end: End | None) -> Slice:
        """Everything since the last slice, as a slice."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        part = Slice(self.id, self._began, self._head, body, self._reads.tobytes(), self.kernel, end)
        self._began = self._head = None
        self._body.clear()
        self._size = 0
        del self._reads[:]
        return part


class Reading(Protocol):
    """What the outbox needs of the socket reader."""

    @property
    def read_until_ns(self) -> int:
        """Every byte that had arrived by then has been read (monotonic ns)."""
        ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Outbox:
    """Sends a slice when a stream ends, when it has much to send, and otherwise every half second.

    It writes in a later turn of the loop, a few messages a turn: if many streams end at once, the requests that take
    their places go out first.
    """

    def __init__(self, transport: asyncio.Transport, reading: Reading) -> None:
        self._transport = transport
        self._reading = reading
        self._waiting: list[Stream] = []
        # What is to be written, in this order: reports, and streams whose next slice is due, with their end.
        self._due: deque[Report | tuple[Stream, End | None]] = deque()
        self._writing = False
        self._paused = False
        self._room = asyncio.Event()
        self._room.set()

    def say(self, report: Report) -> None:
        """Sends a report, after everything that was sent before it."""
        self._put(report)

    def wait(self, stream: Stream) -> None:
        """Sends a slice of the stream at the next flush."""
        if not stream.waiting:
            stream.waiting = True
            self._waiting.append(stream)

    def send(self, stream: Stream, end: End | None = None) -> None:
        """Sends a slice, without waiting for the flush."""
        if end is not None or not stream.due:
            stream.due = True
            self._put((stream, end))

    async def room(self) -> None:
        """Waits until the worker has taken most of what it was sent."""
        await self._room.wait()

    def look(self) -> None:
        """Looks whether the worker keeps up. If not, stops new requests or pauses reading."""
        unsent = self._transport.get_write_buffer_size()
        if unsent > FULL_BYTES:
            self._room.clear()
        elif not self._room.is_set() and unsent < FULL_BYTES // 2:
            self._room.set()
        if unsent > OVERFULL_BYTES and not self._paused:
            self._paused = True
            self._reading.pause()
        elif self._paused and unsent < FULL_BYTES:
            self._paused = False
            self._reading.resume()

    async def run(self, in_flight: Callable[[], int] = lambda: 0) -> None:
        """Flushes until cancelled. After each flush, a watermark says up to when everything has been reported."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            stamp_ns = self._reading.read_until_ns
            waiting, self._waiting = self._waiting, []
            for stream in waiting:
                stream.waiting = False
                if stream.ended_ns is None:
                    self.send(stream)
            self.say(Watermark(stamp_ns, in_flight()))

    def _put(self, due: Report | tuple[Stream, End | None]) -> None:
        self._due.append(due)
        if not self._writing:
            self._writing = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        frames: list[bytes] = []
        for _ in range(min(SLICES_A_TURN, len(self._due))):
            due = self._due.popleft()
            if not isinstance(due, tuple):
                frames.append(frame(due))
                continue
            due[0].due = False
            part = due[0].take(due[1])
            if not due[0].muted:
                frames.append(frame(part))
        if frames:
            self._transport.write(b"".join(frames))
            self.look()
        self._writing = bool(self._due)
        if self._writing:
            asyncio.get_running_loop().call_soon(self._write)
