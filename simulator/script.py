"""Turns an answer into timed writes: deadlines, framing, cutting, and the point at which a fault strikes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import NamedTuple

from simulator.fault import FaultKind
from simulator.profile import Profile
from simulator.protocols.call import Event
from simulator.queueing.pool import Ticket

_NS_PER_MS = 1_000_000
_MIN_COMMENT_GAP_MS = 1.0


class Close(StrEnum):
    """How an answer ends."""

    DONE = "done"  # complete; the connection may be used again
    ERROR = "error"  # complete, but it was an error
    CLOSE = "close"  # complete, then the connection is closed
    END = "end"  # the body is complete, its content is not
    FIN = "fin"
    RST = "rst"
    HANG = "hang"


class Write(NamedTuple):
    """Bytes for one write, due at a monotonic instant; `events` and `tokens` are those that these bytes complete."""

    due_ns: int
    data: bytes
    events: int = 0
    tokens: int = 0


class Ending(NamedTuple):
    due_ns: int
    close: Close


class Hold(NamedTuple):
    """Nothing more is known until the request has its slot: `ready` says so, or else calls back then."""

    ready: Callable[[Callable[[], None]], bool]


@dataclass(frozen=True, slots=True)
class _Stop:
    slot: int
    close: Close


_CLOSE_OF_FAULT = {
    FaultKind.END: Close.END,
    FaultKind.FIN: Close.FIN,
    FaultKind.RST: Close.RST,
    FaultKind.HANG: Close.HANG,
    FaultKind.MID_ERROR: Close.ERROR,
}

Step = Write | Ending | Hold


class Deadlines:
    """Content event `i` is due `ttft + i * gap` after the request, plus its own jitter; never before event `i - 1`."""

    def __init__(self, profile: Profile, received_ns: int, random: Random) -> None:
        self._profile = profile
        self.received_ns = received_ns
        self._random = random
        self._slot = -1
        self._due_ns = received_ns

    def hold(self, slot: int) -> Hold | None:
        """What must be waited for before this slot's deadline can be asked for."""
        return None

    def due(self, slot: int) -> int:
        """Slots must be asked for in order; -1 is what comes before the first content event."""
        if slot < 0:
            return self.received_ns if self._profile.early_role else self.due(0)
        while self._slot < slot:
            self._slot += 1
            jitter_ms = self._random.expovariate(1 / self._profile.jitter_ms) if self._profile.jitter_ms else 0.0
            self._due_ns = max(self._due_ns, self._next_ns(jitter_ms))
        return self._due_ns

    def _next_ns(self, jitter_ms: float) -> int:
        """The deadline of the current slot."""
        offset_ms = self._profile.ttft_ms + self._slot * self._profile.gap_ms + jitter_ms
        return self.received_ns + int(offset_ms * _NS_PER_MS)


class SlotDeadlines(Deadlines):
    """Those of a request that shares a pool: the next deadline is known when the one before it has come."""

    def __init__(self, profile: Profile, received_ns: int, random: Random, ticket: Ticket) -> None:
        # A server that stands still begins no answer.
        super().__init__(profile, ticket.pool.stalls.after(received_ns, 0), random)
        self._ticket = ticket

    def hold(self, slot: int) -> Hold | None:
        waits = self._ticket.started_ns is None and (slot >= 0 or not self._profile.early_role)
        return Hold(self._ticket.ready) if waits else None

    def _next_ns(self, jitter_ms: float) -> int:
        # The jitter delays what is written, not the work in the slot.
        return self._ticket.next_event_ns() + int(jitter_ms * _NS_PER_MS)


@dataclass(frozen=True, slots=True)
class Script:
    """`frame` wraps the bytes of one write for HTTP; `keep_alive` are bytes that are no event; `finished` is how an
    answer ends without a fault.
    """

    profile: Profile
    deadlines: Deadlines
    frame: Callable[[bytes], bytes]
    keep_alive: bytes
    error_event: bytes
    finished: Close

    def steps(self, events: Iterable[Event]) -> Iterator[Step]:
        """The body of a streamed answer, lazily, as it may be endless."""
        kind = self.profile.fault.kind if self.profile.fault else None
        if kind is FaultKind.COMMENTS:
            return self._comments()
        if self.profile.burst and kind is not FaultKind.ENDLESS:
            return self._burst(events)
        return self._paced(events)

    def _comments(self) -> Iterator[Step]:
        if hold := self.deadlines.hold(0):
            yield hold
        due_ns = self.deadlines.due(0)
        gap_ns = int(max(self.profile.gap_ms, _MIN_COMMENT_GAP_MS) * _NS_PER_MS)
        while True:
            yield Write(due_ns, self.frame(self.keep_alive))
            due_ns += gap_ns

    def _burst(self, events: Iterable[Event]) -> Iterator[Step]:
        if hold := self.deadlines.hold(0):
            yield hold
        due_ns = self.deadlines.due(0)
        sent: list[Event] = []
        close = self.finished
        for item in self._until_fault(events):
            if isinstance(item, _Stop):
                close = item.close
            else:
                sent.append(item)
        if sent:
            content = [event.tokens for event in sent if event.tokens]
            yield Write(due_ns, self.frame(b"".join(event.data for event in sent)), len(content), sum(content))
        yield Ending(due_ns, close)

    def _paced(self, events: Iterable[Event]) -> Iterator[Step]:
        previous_ns = 0
        plain = not self.profile.cut and self.profile.split_ms is None
        # Before the first event is made: its usage says what was read from the cache.
        if hold := self.deadlines.hold(-1):
            yield hold
        for item in self._until_fault(events):
            if hold := self.deadlines.hold(item.slot):
                yield hold
            due_ns = max(previous_ns, self.deadlines.due(item.slot))
            if isinstance(item, _Stop):
                yield Ending(due_ns, item.close)
                return
            if plain:
                yield Write(due_ns, self.frame(item.data), int(item.tokens > 0), item.tokens)
                previous_ns = due_ns
                continue
            for write_ns, data, complete in self._cuts(due_ns, item.data):
                counted = complete and item.tokens > 0
                yield Write(write_ns, self.frame(data), int(counted), item.tokens if counted else 0)
                previous_ns = write_ns

    def _cuts(self, due_ns: int, data: bytes) -> Iterator[tuple[int, bytes, bool]]:
        if self.profile.cut:
            size = self.profile.cut
            for start in range(0, len(data), size):
                yield due_ns, data[start : start + size], start + size >= len(data)
        else:
            middle = len(data) // 2
            yield due_ns, data[:middle], False
            yield due_ns + int((self.profile.split_ms or 0) * _NS_PER_MS), data[middle:], True

    def _until_fault(self, events: Iterable[Event]) -> Iterator[Event | _Stop]:
        """The events before the fault, then how it ends.

        A fault after N content events strikes when event N + 1 would be due, so that the client can have read N.
        An answer with fewer than N content events ends as usual.
        """
        fault = self.profile.fault
        close = _CLOSE_OF_FAULT.get(fault.kind) if fault else None
        content = slot = 0
        for event in events:
            if fault is not None and close is not None and content >= fault.after:
                if close is Close.ERROR:
                    yield Event(fault.after, self.error_event)
                yield _Stop(fault.after, close)
                return
            yield event
            content += event.tokens > 0
            slot = max(slot, event.slot)
        yield _Stop(slot, self.finished)
