"""Counts over time that merge and stay small: exact to the microsecond while few, else in equal steps of time.

Steps are as short as `MOST_STEPS` allows, and double when there are too many. Like a digest, a series depends only on
what was counted, not on the order or on how it was split before merging.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import xor
from typing import Any

MOST_STEPS = 4_096
# While counts are added, a series may have so many steps more, times its number and one. To double the steps visits all
# of them, and while counts are few and far between, it only joins a few: without slack it was done again and again.
_SLACK = 512


class TimeSeries:
    """Counts by time, in microseconds since any fixed moment."""

    __slots__ = ("_counts", "_most", "_shift", "total")

    def __init__(self, number: int = 0) -> None:
        """`number`: tells series to which the same is added apart, so that they do not shrink at the same time."""
        self._most = MOST_STEPS + _SLACK * (number + 1)
        # A step is 2 ** shift microseconds long.
        self._shift = 0
        self._counts: dict[int, int] = {}
        self.total = 0

    @classmethod
    def of(cls, times_us: Sequence[int], counts: Sequence[int]) -> "TimeSeries":
        """The counts at these times."""
        series = cls()
        known = dict(zip(times_us, counts, strict=True))
        if len(known) == len(times_us) <= MOST_STEPS:
            # All at different times, as they mostly are: much faster than one by one.
            series._counts, series.total = known, sum(counts)
        else:
            for at_us, count in zip(times_us, counts, strict=True):
                series.add(at_us, count)
        return series

    @property
    def step_us(self) -> int:
        """Length of a step. At 1 the series is exact; else the edge of a window may be off by up to one step."""
        self._shrink()
        return 1 << self._shift

    def add(self, at_us: int, count: int = 1) -> None:
        key = at_us >> self._shift
        self._counts[key] = self._counts.get(key, 0) + count
        self.total += count
        if len(self._counts) > self._most:
            self._shrink()

    def merge(self, other: "TimeSeries") -> None:
        """Adds the other series' counts."""
        self._coarsen(other._shift)
        shift, counts = self._shift - other._shift, self._counts
        known = counts.get
        for key, count in other._counts.items():
            key >>= shift
            counts[key] = known(key, 0) + count
        self.total += other.total
        if len(counts) > self._most:
            self._shrink()

    def steps(self, step_us: int = 1) -> Iterator[tuple[int, int]]:
        """(start of the step in µs, count) in the order of time, in steps of at least `step_us`."""
        self._shrink()
        shift = max(self._shift, (step_us - 1).bit_length())
        counts: dict[int, int] = {}
        for key, count in self._counts.items():
            key >>= shift - self._shift
            counts[key] = counts.get(key, 0) + count
        return ((key << shift, counts[key]) for key in sorted(counts))

    def within(self, after_us: int, until_us: int) -> float:
        """The count after `after_us` and up to `until_us`. A step that one of them cuts counts in part."""
        self._shrink()
        if self._shift == 0:
            return sum(count for at_us, count in self._counts.items() if after_us < at_us <= until_us)
        found = 0.0
        for key, count in self._counts.items():
            begin_us = key << self._shift
            inside = min(until_us, begin_us + self.step_us) - max(after_us, begin_us)
            if inside > 0:
                found += count * inside / self.step_us
        return found

    def document(self) -> dict[str, Any]:
        """As JSON; `TimeSeries.load` reads it. Times are written as differences, which are short."""
        self._shrink()
        previous, differences, counts = 0, [], []
        for key in sorted(self._counts):
            differences.append(key - previous)
            counts.append(self._counts[key])
            previous = key
        return {"shift": self._shift, "at": differences, "counts": counts}

    @classmethod
    def load(cls, document: dict[str, Any]) -> "TimeSeries":
        series, at = cls(), 0
        series._shift = document["shift"]
        for difference, count in zip(document["at"], document["counts"], strict=True):
            at += difference
            series._counts[at] = count
        series.total = sum(document["counts"])
        return series

    def _shrink(self) -> None:
        """Doubles the step as often as needed, and no oftener. All doublings at once: each by itself takes 1 ms."""
        if len(self._counts) <= MOST_STEPS:
            return
        keys = sorted(self._counts)
        # Two keys become one when the highest bit in which they differ is shifted out.
        differ = Counter(map(int.bit_length, map(xor, keys, keys[1:])))
        steps, by = len(keys), 0
        while steps > MOST_STEPS:
            by += 1
            steps -= differ[by]
        self._coarsen(self._shift + by)

    def _coarsen(self, shift: int) -> None:
        if shift <= self._shift:
            return
        by = shift - self._shift
        counts: dict[int, int] = {}
        for key, count in self._counts.items():
            counts[key >> by] = counts.get(key >> by, 0) + count
        self._shift, self._counts = shift, counts
