"""The event timeline of one request: when each event arrived, how large it was, what it was. Stored compactly.

Offsets are whole microseconds since the request was sent. Every metric is computed from them, so a stored
timeline gives the same numbers again.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


class EventKind(IntEnum):
    """What arrived. `END` is the end of the body; the others are events of the stream."""

    FIRST_BYTE = 0
    CONTENT = 1
    REASONING = 2
    TOOL = 3
    USAGE = 4
    FINISH = 5
    PING = 6
    ERROR = 7
    DONE = 8
    END = 9
    OTHER = 10


TOKEN_KINDS = frozenset({EventKind.CONTENT, EventKind.REASONING, EventKind.TOOL})
ANSWER_KINDS = frozenset({EventKind.CONTENT, EventKind.TOOL})


class TimelineEvent(NamedTuple):
    """`offset_us`: microseconds since sent; `size`: bytes of text that it carried.

    For `USAGE`, `size` is the output tokens that it reported so far; 0 if it reported none.
    """

    offset_us: int
    kind: EventKind
    size: int


_EVENT_KINDS = tuple(EventKind)


class Timeline:
    """A timeline that grows as events arrive. An event takes 17 bytes."""

    def __init__(self) -> None:
        self._offsets_us = array("q")
        self._kinds = bytearray()
        self._sizes = array("L")

    def append(self, offset_us: int, kind: EventKind, size: int) -> None:
        self._offsets_us.append(offset_us)
        self._kinds.append(kind)
        self._sizes.append(size)

    def extend(self, offsets_us: Sequence[int], kind: EventKind, sizes: Sequence[int]) -> None:
        """Appends events of one kind."""
        self._offsets_us.extend(offsets_us)
        self._kinds += bytes([kind]) * len(offsets_us)
        self._sizes.extend(sizes)

    def replace(self, kind: EventKind, by: EventKind) -> None:
        """Changes all events of a kind to another kind."""
        self._kinds = self._kinds.replace(bytes([kind]), bytes([by]))

    def __len__(self) -> int:
        return len(self._kinds)

    def __iter__(self) -> Iterator[TimelineEvent]:
        for offset_us, kind, size in zip(self._offsets_us, self._kinds, self._sizes, strict=True):
            yield TimelineEvent(offset_us, _EVENT_KINDS[kind], size)


def encode(events: Iterable[TimelineEvent]) -> bytes:
    """Three LEB128 integers for each event: µs since the event before, kind, size. About four bytes for each event."""
    previous, pieces = 0, []
    for offset_us, kind, size in events:
        pieces.append(_encoded(offset_us - previous, kind, size))
        previous = offset_us
    return b"".join(pieces)


@lru_cache(maxsize=8_192)
def _encoded(*values: int) -> bytes:
    # The events of a steady stream are much alike, so most of them are in the cache.
    out = bytearray()
    for value in values:
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
    return bytes(out)


def decode(blob: bytes) -> list[TimelineEvent]:
    """The events that `encode` was given. Raises ValueError if the blob was cut off."""
    numbers = _integers(blob)
    events: list[TimelineEvent] = []
    offset = 0
    for delta in numbers:
        try:
            kind, size = next(numbers), next(numbers)
        except StopIteration:
            raise ValueError("the timeline ends inside an event") from None
        offset += delta
        events.append(TimelineEvent(offset, EventKind(kind), size))
    return events


def _integers(blob: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in blob:
        value |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            yield value
            value = shift = 0
    if shift:
        raise ValueError("the timeline ends inside a number")
