"""A histogram of loop lags: how much of the time the loop was how late. Buckets grow by 5 %; the first ends at 1 µs."""

import math
from collections import Counter
from collections.abc import Mapping

_FIRST_NS = 1_000
_GROWTH = math.log(1.05)


def lag_bucket(lag_ns: int) -> int:
    """The bucket of a lag, from 0."""
    return 0 if lag_ns <= _FIRST_NS else math.ceil(math.log(lag_ns / _FIRST_NS) / _GROWTH)


def lag_percentile_ms(histogram: Mapping[int, int], percent: float) -> float | None:
    """Upper edge of the bucket that holds this percentile, in ms; None for an empty histogram."""
    rank, seen = sum(histogram.values()) * percent / 100, 0
    for bucket, count in sorted(Counter(histogram).items()):
        seen += count
        if seen >= rank:
            return 0.0 if bucket == 0 else _FIRST_NS * math.exp(bucket * _GROWTH) / 1e6
    return None
