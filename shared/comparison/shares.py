"""The error shares of two runs and their difference: Newcombe's interval, with as many requests as are independent."""

import math

import numpy as np
from numpy.typing import NDArray

from shared.comparison.bootstrap import Ints
from shared.comparison.clusters import BLOCK_BY_MEMORY, LEAST_CLUSTERS, MOST_BLOCKS, memory
from shared.comparison.measure import Difference, Interval, Known
from shared.comparison.run_rows import RunRows
from shared.numbers.student import t_quantile

_Z = {0.95: 1.959963984540054, 0.90: 1.6448536269514722}


def error_difference(first: RunRows, second: RunRows) -> Difference:
    """Of the failed requests by all that succeeded or failed."""
    sides = [_Share.of(run) for run in (first, second)]
    if not first.count or not second.count:
        known = [Known(run.count, None, None) for run in (first, second)]
        return Difference(known[0], known[1], None, needed=1)
    known = [Known(side.count, side.share, side.interval(0.95)) for side in sides]
    value = sides[1].share - sides[0].share
    ratio = sides[1].share / sides[0].share if sides[0].share > 0 else None
    return Difference(known[0], known[1], value, _newcombe(sides, 0.95), _newcombe(sides, 0.90), ratio)


class _Share:
    """Failures of a run, as if so many requests were independent as their clusters say."""

    def __init__(self, count: int, share: float, independent: float, clusters: int | None) -> None:
        self.count = count
        self.share = share
        self._independent = independent
        # Degrees of freedom of the clusters that say how far the requests depend. None: they do not.
        self._freedom = None if clusters is None else clusters - 1

    @classmethod
    def of(cls, run: RunRows) -> "_Share":
        count, failed = run.count, ~run.succeeded
        share = run.failures / count if count else 0.0
        if not 0 < share < 1:
            return cls(count, share, count, None)
        # Failures in bursts: the variance of a mean grows by what the values remember.
        remembers = memory(failed.astype(float))
        effects = [(remembers, max(LEAST_CLUSTERS, int(count / (BLOCK_BY_MEMORY * remembers))))]
        effects += [_design_effect(failed, owners, share) for owners in (run.prompts, _blocks(count))]
        effect, clusters = max(effects)
        # A few bursts say little about how far they spread.
        bursts = math.ceil(run.failures / effect)
        return cls(count, share, count / effect, min(clusters, max(LEAST_CLUSTERS, bursts)) if effect > 1 else None)

    def interval(self, level: float) -> Interval:
        """Wilson's, of the requests that count as independent."""
        z = _Z[level] if self._freedom is None else t_quantile((1 + level) / 2, self._freedom)
        square, number = z * z, self._independent
        centre = self.share + square / (2 * number)
        half = z * math.sqrt(self.share * (1 - self.share) / number + square / (4 * number * number))
        scale = 1 + square / number
        return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def _blocks(count: int) -> Ints:
    return np.arange(count) * min(MOST_BLOCKS, count) // count


def _design_effect(failed: NDArray[np.bool_], owners: Ints, share: float) -> tuple[float, int]:
    """By how much the variance of the share exceeds that of independent requests (Rao and Scott 1992), at least 1."""
    _, owners, sizes = np.unique(owners, return_inverse=True, return_counts=True)
    failures = np.bincount(owners, weights=failed)
    clusters = len(sizes)
    if clusters < LEAST_CLUSTERS or clusters == len(failed):
        return 1.0, clusters
    residuals = failures - share * sizes
    variance = clusters / (clusters - 1) * float((residuals**2).sum()) / len(failed) ** 2
    return max(1.0, variance / (share * (1 - share) / len(failed))), clusters


def _newcombe(sides: list[_Share], level: float) -> Interval:
    """Of the difference (Newcombe 1998, method 10): squares of the distances to the ends of both intervals add up."""
    (low_first, high_first), (low_second, high_second) = (side.interval(level) for side in sides)
    first, second = sides[0].share, sides[1].share
    value = second - first
    below = math.sqrt((second - low_second) ** 2 + (high_first - first) ** 2)
    above = math.sqrt((high_second - second) ** 2 + (first - low_first) ** 2)
    return value - below, value + above
