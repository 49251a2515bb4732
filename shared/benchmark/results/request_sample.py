"""Times of single requests, kept so that a window of the run can have percentiles of its own. Part of an aggregate.

All succeeded requests while they are few; above MOST, a random sample of MOST of them. Each request has a number that
looks random and follows from its id, and the requests with the smallest numbers are kept. So the sample depends only
on the requests, not on their order or on how the run was split, and it takes the same room however long the run is.
"""

import heapq
from collections.abc import Iterator
from typing import Any, NamedTuple

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.observed import Observed
from shared.numbers.digest import Digest

MOST = 5_000
# Metrics that the sample keeps, each to 1e-6 of its unit.
SAMPLED = ("ttft_ms", "latency_ms", "tpot_ms")
_UNKNOWN = -1.0
_MASK = 2**64 - 1


class _Kept(NamedTuple):
    """`minus_number` first, so that a heap has the largest number on top. `values`: by SAMPLED."""

    minus_number: int
    place: int
    turn: int
    sent_us: int
    ended_us: int
    prompt: int
    values: tuple[float, ...]


class RequestSample:
    """Succeeded requests by the times of their send and end (µs since the epoch)."""

    def __init__(self) -> None:
        # Of how many requests the sample is.
        self.count = 0
        self._kept: list[_Kept] = []

    @property
    def share(self) -> float:
        """Which share of the requests it has: 1 if it has all."""
        return len(self._kept) / self.count if self.count else 1.0

    def add(self, result: Observed) -> None:
        """Adds a succeeded result."""
        self.count += 1
        minus_number = -_number(result.id)
        if len(self._kept) == MOST and minus_number < self._kept[0].minus_number:
            return
        values = tuple(_UNKNOWN if (value := result.metrics[name]) is None else round(value, 6) for name in SAMPLED)
        place, turn = result.id
        self._keep(_Kept(minus_number, place, turn, result.sent_us, result.ended_us, result.prompt_index, values))

    def merge(self, other: "RequestSample") -> None:
        """Adds the other part's requests."""
        self.count += other.count
        for kept in other._kept:
            self._keep(kept)

    def within(self, begin_us: int, end_us: int) -> dict[str, Digest]:
        """The values of the requests that were sent and ended in this time, by metric."""
        found = {name: Digest() for name in SAMPLED}
        for kept in self._inside(begin_us, end_us):
            for name, value in zip(SAMPLED, kept.values, strict=True):
                if value != _UNKNOWN:
                    found[name].add(value, kept.prompt)
        return found

    def sends(self, name: str) -> Iterator[tuple[int, float]]:
        """(sent in µs, value) of each request that has this metric."""
        place = SAMPLED.index(name)
        return ((kept.sent_us, kept.values[place]) for kept in self._kept if kept.values[place] != _UNKNOWN)

    def document(self) -> dict[str, Any]:
        """As JSON; `load` reads it. By time, with differences, which are short."""
        kept = sorted(self._kept, key=lambda item: (item.sent_us, item))
        previous_us, previous_place, rows = 0, 0, []
        for item in kept:
            times = (item.sent_us - previous_us, item.ended_us - item.sent_us)
            rows.append((item.place - previous_place, item.turn, *times, item.prompt, *item.values))
            previous_us, previous_place = item.sent_us, item.place
        return {"count": self.count, "rows": rows}

    @classmethod
    def load(cls, document: dict[str, Any]) -> "RequestSample":
        sample, sent_us, place = cls(), 0, 0
        sample.count = document["count"]
        for place_by, turn, sent_by, took_us, prompt, *values in document["rows"]:
            sent_us, place = sent_us + sent_by, place + place_by
            number = -_number(RequestId(place, turn))
            sample._kept.append(_Kept(number, place, turn, sent_us, sent_us + took_us, prompt, tuple(values)))
        heapq.heapify(sample._kept)
        return sample

    def _inside(self, begin_us: int, end_us: int) -> Iterator[_Kept]:
        # In the order of their numbers, so that equal samples give equal sums.
        return (kept for kept in sorted(self._kept) if kept.sent_us >= begin_us and kept.ended_us <= end_us)

    def _keep(self, kept: _Kept) -> None:
        if len(self._kept) < MOST:
            heapq.heappush(self._kept, kept)
        else:
            heapq.heappushpop(self._kept, kept)


def _number(request_id: RequestId) -> int:
    """64 bits that look random and follow from the id. This is the mixer of SplitMix64: no two ids share a number."""
    place, turn = request_id
    mixed = (place << 24 | turn) * 0x9E3779B97F4A7C15 & _MASK
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
    return mixed ^ mixed >> 31
