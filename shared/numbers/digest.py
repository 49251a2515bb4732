"""A distribution that grows value by value, merges, and stays small: exact up to a bound, a sketch above it.

The sketch counts values in buckets that grow by about 1 %, so that each percentile is within `RELATIVE_ERROR` of the
exact one. A digest depends only on the values, not on their order or on how they were split before merging.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import mul
from typing import Any

from shared.numbers.intervals import binomial_ranks, prompt_intervals
from shared.numbers.percentiles import MIN_COUNT, WITH_INTERVAL
from shared.numbers.statistics import distribution, percentiles

# Up to this many values are kept as they are.
EXACT = 5_000
# Above that, the largest relative error of a percentile.
RELATIVE_ERROR = 0.005
_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(_GAMMA)
# The bucket of zero and all values below.
_ZERO = -(2**31)
# Sums are whole numbers of 1 / _SCALE of a unit, so that they are equal however the values were split.
_SCALE = 1_000_000


class Digest:
    """Values of one kind, in their own unit, none of them far below zero."""

    __slots__ = ("_buckets", "_max", "_min", "_prompts", "_squares", "_total", "_values", "count")

    def __init__(self, values: Sequence[float] = ()) -> None:
        self.count = 0
        self._total = 0
        self._squares = 0
        self._min = math.inf
        self._max = -math.inf
        # All values while they are few; None once they are counted in buckets.
        self._values: list[float] | None = []
        self._buckets: Counter[int] = Counter()
        # The prompt of each of the values. None if there are no values, or if their prompts are not known.
        self._prompts: list[int] | None = None
        self.extend(values)

    @property
    def exact(self) -> bool:
        return self._values is not None

    def add(self, value: float, prompt: int | None = None) -> None:
        """`prompt`: values of one prompt are not independent of each other. None: not known."""
        # As `_extend` and `_keep` do it, without the cost of lists of one value.
        scaled = round(value * _SCALE)
        self.count += 1
        self._total += scaled
        self._squares += scaled * scaled
        self._min = min(self._min, value)
        self._max = max(self._max, value)
        self._buckets[_bucket(value)] += 1
        if self._values is None or self.count > EXACT:
            self._values = self._prompts = None
            return
        if prompt is None or (self._values and self._prompts is None):
            self._prompts = None
        elif self._prompts is None:
            self._prompts = [prompt]
        else:
            self._prompts.append(prompt)
        self._values.append(value)

    def extend(self, values: Sequence[float]) -> None:
        self._extend(values, [round(value * _SCALE) for value in values])

    @classmethod
    def of_microseconds(cls, values_us: Sequence[int]) -> "Digest":
        """Of whole microseconds, as values in ms. Several times faster than from floats."""
        digest = cls()
        digest._extend([value / 1_000 for value in values_us], [value * (_SCALE // 1_000) for value in values_us])
        return digest

    def _extend(self, values: Sequence[float], scaled: Sequence[int]) -> None:
        if not values:
            return
        self.count += len(values)
        self._total += sum(scaled)
        self._squares += sum(map(mul, scaled, scaled))
        self._min = min(self._min, min(values))
        self._max = max(self._max, max(values))
        self._keep(values, None, Counter(map(_bucket, values)))

    def merge(self, other: "Digest") -> None:
        """Adds the other digest's values."""
        self.count += other.count
        self._total += other._total
        self._squares += other._squares
        self._min = min(self._min, other._min)
        self._max = max(self._max, other._max)
        if other.count:
            self._keep(other._values, other._prompts, other._buckets)

    def distribution(self, *, independent: bool = True, same: Mapping[int, int] | None = None) -> dict[str, Any]:
        """As `statistics.distribution`, and `relative_error`: the largest error of a percentile, 0 if all are exact.

        `independent`: whether no two values depend on each other, as far as that is known without the prompts of the
        values. `same`: prompts that are equal to another one, by index. `interval_basis` says what the intervals take
        for independent: `requests`, `prompts`, or None if neither is possible.
        """
        if self._values is not None:
            found = distribution(self._values)
            return {**found, **self._intervals(found, independent, same or {}), "relative_error": 0.0}
        count, mean = self.count, self._total / _SCALE / self.count
        # With whole numbers: floats would lose the small difference of two large sums.
        spread = (count * self._squares - self._total * self._total) / (count * (count - 1))
        result: dict[str, Any] = {
            "count": count,
            "min": self._min,
            "max": self._max,
            "mean": mean,
            "stdev": math.sqrt(max(0.0, spread)) / _SCALE,
        }
        ranks = _Ranks(self._buckets, self._min, self._max)
        for percent in MIN_COUNT:
            result[f"p{percent}"] = ranks.quantile(percent / 100, count)
        for percent in WITH_INTERVAL:
            low, high = binomial_ranks(count, percent / 100)
            result[f"p{percent}_ci95"] = [ranks.value(low - 1), ranks.value(high - 1)] if independent else None
        return {**result, "interval_basis": "requests" if independent else None, "relative_error": RELATIVE_ERROR}

    def _intervals(self, found: dict[str, Any], independent: bool, same: Mapping[int, int]) -> dict[str, Any]:
        """What replaces the intervals in a distribution of the values that are kept."""
        names = [f"p{percent}_ci95" for percent in WITH_INTERVAL]
        if not self.count or self._values is None:
            return {"interval_basis": None}
        if self._prompts is None:
            return {"interval_basis": "requests"} if independent else {**dict.fromkeys(names), "interval_basis": None}
        prompts = [same.get(prompt, prompt) for prompt in self._prompts]
        if len(set(prompts)) == self.count:
            return {"interval_basis": "requests"}
        estimates = [found[f"p{percent}"] for percent in WITH_INTERVAL]
        intervals = prompt_intervals(self._values, prompts, WITH_INTERVAL, estimates)
        return {**dict(zip(names, intervals, strict=True)), "interval_basis": "prompts"}

    def percentile(self, percent: float) -> float | None:
        """One percentile, even of few values; None if there are none."""
        return self.percentiles([percent])[0] if self.count else None

    def percentiles(self, percents: Sequence[float]) -> list[float]:
        """Several percentiles of at least one value, in one go over the values."""
        if self._values is not None:
            return percentiles(self._values, percents)
        ranks = _Ranks(self._buckets, self._min, self._max)
        return [ranks.quantile(percent / 100, self.count) for percent in percents]

    def percentile_with(self, infinite: int, percent: int) -> float | None:
        """A percentile of these values and of `infinite` more, each above all of them. None if it would be infinite."""
        position, part = divmod((self.count + infinite - 1) * percent, 100)
        if position + (part > 0) >= self.count or position < 0:
            return None
        if self._values is not None:
            ordered = sorted(self._values)
            below, above = ordered[position], ordered[position + (part > 0)]
        else:
            ranks = _Ranks(self._buckets, self._min, self._max)
            below, above = ranks.value(position), ranks.value(position + (part > 0))
        return below + (above - below) * part / 100

    @property
    def max(self) -> float | None:
        return self._max if self.count else None

    def document(self) -> dict[str, Any]:
        """As JSON; `Digest.load` reads it."""
        values, prompts = self._values, self._prompts
        if values is not None and prompts is not None:
            pairs = sorted(zip(values, prompts, strict=True))
            values, prompts = [value for value, _ in pairs], [prompt for _, prompt in pairs]
        return {
            "count": self.count,
            "total": str(self._total),
            "squares": str(self._squares),
            "min": self._min if self.count else None,
            "max": self._max if self.count else None,
            "values": None if values is None else sorted(values),
            "prompts": prompts,
            "buckets": sorted(self._buckets.items()) if self._values is None else [],
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> "Digest":
        digest = cls()
        digest.count = document["count"]
        digest._total, digest._squares = int(document["total"]), int(document["squares"])
        if digest.count:
            digest._min, digest._max = document["min"], document["max"]
        digest._values = document["values"]
        # Older programs did not store them.
        digest._prompts = document.get("prompts")
        exact = digest._values
        digest._buckets = Counter(dict(document["buckets"])) if exact is None else Counter(map(_bucket, exact))
        return digest

    def _keep(self, values: Sequence[float] | None, prompts: Sequence[int] | None, buckets: Counter[int]) -> None:
        """Keeps the values while they are few. They are counted in buckets from the start, so that it costs nothing to
        forget them."""
        self._buckets.update(buckets)
        if self._values is None or values is None or self.count > EXACT:
            self._values = self._prompts = None
            return
        if prompts is None or (self._values and self._prompts is None):
            self._prompts = None
        elif self._prompts is None:
            self._prompts = list(prompts)
        else:
            self._prompts.extend(prompts)
        self._values.extend(values)


class _Ranks:
    """Values by rank, from buckets."""

    def __init__(self, buckets: Counter[int], least: float, most: float) -> None:
        self._keys = sorted(buckets)
        self._ends = list(accumulate(buckets[key] for key in self._keys))
        self._least, self._most = least, most

    def value(self, rank: int) -> float:
        """`rank` counts from 0, smallest first. The ends are exact."""
        if rank <= 0:
            return self._least
        if rank >= self._ends[-1] - 1:
            return self._most
        key = self._keys[bisect_right(self._ends, rank)]
        middle = 0.0 if key == _ZERO else 2 * _GAMMA**key / (_GAMMA + 1)
        return min(max(middle, self._least), self._most)

    def quantile(self, quantile: float, count: int) -> float:
        """Type 7: linear between the two nearest ranks."""
        position = (count - 1) * quantile
        low = math.floor(position)
        below, above = self.value(low), self.value(low + 1)
        return below + (above - below) * (position - low)


def _bucket(value: float) -> int:
    # No cache: values are mostly new, and then it takes three times as long as the logarithm.
    # Not numpy's logarithm, which may differ in the last bit and so put a value on an edge into another bucket.
    return _ZERO if value <= 0 else math.ceil(math.log(value) / _LOG_GAMMA)
