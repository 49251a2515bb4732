"""Cluster bootstrap: what a statistic of a run would have been with other prompts or at other times. `pair.py` uses it.

Whole clusters are drawn, never single values, because values of one prompt or of one moment resemble each other.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DRAWS = 4_000
# More clusters than this are put together: the interval is hardly wider, and the draws stay small.
MOST_CLUSTERS = 128
# Points of the first, coarse search for a quantile.
_COARSE = 64
# Multiplications of a matrix product up to which OpenBLAS uses one thread.
_SINGLE_THREADED = 200_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Weights = NDArray[np.float32]


@lru_cache(maxsize=32)
def weights(clusters: int, stream: int) -> Weights:
    """How often each draw has each cluster: (DRAWS, clusters). The same arguments give the same draws.

    Draws of another `stream` are independent of these.
    """
    generator = np.random.default_rng([clusters, stream])
    drawn = generator.multinomial(clusters, np.full(clusters, 1 / clusters), size=DRAWS).astype(np.float32)
    drawn.setflags(write=False)
    return drawn


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of a run in rising order, with the cluster of each (from 0)."""

    values: Floats
    clusters: Ints

    @classmethod
    def of(cls, values: Floats, clusters: Ints) -> "Sample":
        order = np.argsort(values, kind="stable")
        return cls(values[order], clusters[order])


def quantile(values: Floats, share: float) -> float:
    """Type 7, of sorted values; of at least one."""
    position = (len(values) - 1) * share
    low = math.floor(position)
    high = min(low + 1, len(values) - 1)
    return float(values[low] + (values[high] - values[low]) * (position - low))


def drawn_quantiles(sample: Sample, drawn: Weights, share: float) -> Floats:
    """The type-7 quantile of each draw. NaN where a draw has no value of the run."""
    sizes = np.bincount(sample.clusters, minlength=drawn.shape[1]).astype(np.float32)
    counts = (drawn @ sizes).astype(np.float64)
    position = np.maximum(counts - 1, 0) * share
    low = np.floor(position)
    below, above = _at_ranks(sample, drawn, low, np.minimum(low + 1, np.maximum(counts - 1, 0)))
    found: Floats = below + (above - below) * (position - low)
    found[counts == 0] = np.nan
    return found


def drawn_ratios(numerators: Floats, denominators: Floats, drawn: Weights) -> Floats:
    """Sum of the numerators by that of the denominators in each draw, both given by cluster. NaN: divided by 0."""
    below = drawn @ denominators
    above = drawn @ numerators
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(below > 0, above / below, np.nan)
    return found


def _at_ranks(sample: Sample, drawn: Weights, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """The values at two neighbouring ranks (from 0) of each draw, in which a value counts as often as its cluster.

    A few values first bound where all draws have theirs; then all values between the bounds are looked at.
    """
    # Ranks are whole numbers far below 2^24, which 32 bits hold exactly.
    ranks = low.astype(np.float32)[:, None], high.astype(np.float32)[:, None]
    start, end = 0, len(sample.values)
    while end - start > 4 * _COARSE:
        grid = np.linspace(start, end - 1, _COARSE + 1).astype(np.int64)
        passed = _product(drawn, _counts_until(sample, drawn.shape[1], grid))
        first, last = int((passed > ranks[0]).argmax(axis=1).min()), int((passed > ranks[1]).argmax(axis=1).max())
        found = (int(grid[first - 1]) if first else start), int(grid[last]) + 1
        if found[1] - found[0] > 0.7 * (end - start):
            break
        start, end = found
    passed = _product(drawn, _counts_until(sample, drawn.shape[1], np.arange(start, end)))
    below, above = (sample.values[start + (passed > rank).argmax(axis=1)] for rank in ranks)
    return below, above


def _product(drawn: Weights, counts: Weights) -> Weights:
    """The matrix product, in parts so small that OpenBLAS does not start threads.

    Threads that wait for a core which others use take four times as long as one thread alone.
    """
    most = _SINGLE_THREADED // counts.size
    draws = next((number for number in (400, 200, 100, 50, 25, 10, 5, 2) if number <= most), 1)
    parts: Weights = np.matmul(drawn.reshape(-1, draws, drawn.shape[1]), counts)
    return parts.reshape(DRAWS, counts.shape[1])


def _counts_until(sample: Sample, clusters: int, places: Ints) -> NDArray[np.float32]:
    """How many values each cluster has up to and with each of these places: (clusters, places). `places` rise."""
    first, last = int(places[0]), int(places[-1])
    base = np.bincount(sample.clusters[:first], minlength=clusters)
    if len(places) == last - first + 1:
        steps = np.zeros((clusters, len(places)), dtype=np.float32)
        steps[sample.clusters[first : last + 1], np.arange(len(places))] = 1
    else:
        step_of = np.searchsorted(places, np.arange(first, last + 1))
        steps = np.zeros((clusters, len(places)), dtype=np.float32)
        np.add.at(steps, (sample.clusters[first : last + 1], step_of), 1)
    steps[:, 0] += base
    return np.cumsum(steps, axis=1, dtype=np.float32)
