"""Confidence intervals of percentiles, from order statistics. Values of one prompt are not independent of each other.

Distributions use them. An interval exists only if the sample can bound the percentile on both sides: from 6 independent
values for P50, 36 for P90, 72 for P95 and 368 for P99.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_Z95 = 1.959963984540054
# How often one value of each prompt is drawn. The interval is the median over the draws.
_DRAWS = 201

Interval = list[float] | None


def interval(ordered: "Sequence[float] | np.ndarray", percent: float) -> Interval:
    """`[low, high]`, which holds the population's percentile with at least 95 %, from independent, sorted values."""
    low, high = binomial_ranks(len(ordered), percent / 100)
    if low < 1 or high > len(ordered):
        return None
    return [float(ordered[low - 1]), float(ordered[high - 1])]


def prompt_intervals(
    values: Sequence[float], prompts: Sequence[int], percents: Sequence[int], estimates: Sequence[float | None]
) -> list[Interval]:
    """The intervals of these percentiles if values of the same prompt depend on each other.

    As many values are independent as there are prompts. So one value of each prompt is drawn, which gives an interval
    of order statistics; this is repeated, and the medians of both ends are taken (within-cluster resampling, Hoffman,
    Sen and Weinberg 2001). With one value for each prompt it is the usual interval. The draws depend on the values
    alone, not on their order. An interval is widened where it does not hold its estimate, which weighs prompts by their
    number of values.
    """
    import numpy as np  # here, because it takes 0.1 s: the API and the CLI start without it

    data, owners = np.asarray(values, dtype=float), np.asarray(prompts)
    data = data[np.lexsort((data, owners))]
    _, starts, sizes = np.unique(np.sort(owners), return_index=True, return_counts=True)
    count, found = len(starts), list[Interval]()
    draws: np.ndarray | None = None
    for percent, estimate in zip(percents, estimates, strict=True):
        low, high = binomial_ranks(count, percent / 100)
        if estimate is None or low < 1 or high > count:
            found.append(None)
            continue
        if draws is None:
            generator = np.random.default_rng(count)
            draws = np.sort(data[starts + generator.integers(0, sizes, (_DRAWS, count))], axis=1)
        ends = float(np.median(draws[:, low - 1])), float(np.median(draws[:, high - 1]))
        found.append([min(ends[0], estimate), max(ends[1], estimate)])
    return found


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
