"""Distributions as docs/metrics.md defines them: type-7 percentiles, None if there are too few values for one."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.numbers.percentiles import MIN_COUNT, WITH_INTERVAL

if TYPE_CHECKING:
    import numpy as np

_Z95 = 1.959963984540054


def distribution(values: Sequence[float]) -> dict[str, Any]:
    """`{count, min, max, mean, stdev, p50, p90, p95, p99, p50_ci95, …}` of the values, in their unit.

    `stdev` is the sample's (n - 1). A `_ci95` is `[low, high]`, a distribution-free 95 % confidence
    interval from order statistics; None if the sample is too small to bound both sides.
    """
    import numpy as np  # here, because it takes 0.1 s: the API and the CLI start without it

    data = np.sort(np.asarray(values, dtype=float))
    count = len(data)
    result: dict[str, Any] = {
        "count": count,
        "min": float(data[0]) if count else None,
        "max": float(data[-1]) if count else None,
        "mean": float(data.mean()) if count else None,
        "stdev": float(data.std(ddof=1)) if count > 1 else None,
    }
    for percent, needed in MIN_COUNT.items():
        result[f"p{percent}"] = float(np.percentile(data, percent)) if count >= needed else None
    for percent in WITH_INTERVAL:
        result[f"p{percent}_ci95"] = _interval(data, percent / 100) if count >= MIN_COUNT[percent] else None
    return result


def percentile(values: Sequence[float], percent: float) -> float:
    """One percentile of at least one value, type 7."""
    import numpy as np

    return float(np.percentile(values, percent))


def _interval(data: "np.ndarray[Any, np.dtype[np.float64]]", quantile: float) -> list[float] | None:
    """Order statistics whose ranks bound the quantile with at least 95 % (binomial, tails of 2.5 % each)."""
    count = len(data)
    low, high = binomial_ranks(count, quantile)
    if low < 1 or high > count:
        return None
    return [float(data[low - 1]), float(data[high - 1])]


def binomial_ranks(count: int, quantile: float) -> tuple[int, int]:
    """1-based ranks (low, high): P(X_low <= quantile <= X_high) >= 0.95. A rank outside 1..count does not exist."""
    if count > 10_000:
        # The normal approximation is exact to a rank here, and the sum below would be slow.
        half = _Z95 * math.sqrt(count * quantile * (1 - quantile))
        return math.floor(count * quantile - half), math.ceil(count * quantile + half) + 1
    low, high = 0, count + 1
    cumulative = 0.0
    for successes in range(count + 1):
        cumulative += math.exp(
            math.lgamma(count + 1)
            - math.lgamma(successes + 1)
            - math.lgamma(count - successes + 1)
            + successes * math.log(quantile)
            + (count - successes) * math.log1p(-quantile)
        )
        # low: the largest rank with P(X < rank) <= 0.025; high: the smallest with P(X >= rank) <= 0.025.
        if cumulative <= 0.025:
            low = successes + 1
        if cumulative >= 0.975:
            high = successes + 1
            break
    return low, high
