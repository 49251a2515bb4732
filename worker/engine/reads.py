"""The reads of a slice: their stamps, their bytes, and which of them repeat one pattern."""

import struct

from shared.protocols.repeats import Pattern
from worker.engine.messages import Slice


class Reads:
    """`stamps`, `ends` and `late_us` have one value for each read; see `Slice`."""

    __slots__ = ("_body", "ends", "late_us", "stamps")

    def __init__(self, part: Slice) -> None:
        numbers = struct.unpack(f"<{len(part.reads) // 8}q", part.reads)
        self.stamps, self.ends, self.late_us = numbers[::3], numbers[1::3], numbers[2::3]
        self._body = part.body

    def __len__(self) -> int:
        return len(self.stamps)

    def data(self, first: int, end: int) -> bytes:
        """The bytes of the reads from `first` to before `end`."""
        return self._body[self.ends[first - 1] if first else 0 : self.ends[end - 1]]

    def ends_within(self, first: int, end: int) -> list[int]:
        """Where each of these reads ends in their data."""
        start = self.ends[first - 1] if first else 0
        return [place - start for place in self.ends[first:end]]

    def run_end(self, first: int, pattern: Pattern) -> int:
        """The read behind those, from `first` on, that begin and end as the pattern does."""
        body, before, after = self._body, pattern.before, pattern.after
        start = self.ends[first - 1] if first else 0
        for number in range(first, len(self.ends)):
            end = self.ends[number]
            if not (body.startswith(before, start, end) and body.endswith(after, start, end)):
                return number
            start = end
        return len(self.ends)
