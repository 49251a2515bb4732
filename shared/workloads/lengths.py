"""Draws lengths in tokens from a distribution, each place by itself. Used by the workloads of this folder."""

import math
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from statistics import NormalDist

from shared.benchmark.workload.length_spec import Length
from shared.workloads.seeded import uniform

# `inv_cdf` takes what is between 0 and 1.
_LEAST, _MOST = 1e-15, 1 - 1e-15


class Lengths:
    """The length of each place. `purpose` keeps input and output of a place independent of each other."""

    def __init__(self, length: Length, seed: int, purpose: str) -> None:
        self._length_of = quantiles(length)
        self._seed = seed
        self._purpose = purpose

    def at(self, place: int, turn: int = 0) -> int:
        """Unit: tokens."""
        return self._length_of(uniform(self._seed, self._purpose, place, turn))


def quantiles(length: Length) -> Callable[[float], int]:
    """A function from a uniform draw between 0 and 1 to a length.

    Only the part of the distribution between `min` and `max` is drawn from. That gives what drawing again until a value
    fits would give, with a single draw.
    """
    match length.distribution:
        case "fixed":
            value = length.highest
            return lambda _draw: value
        case "uniform":
            lowest, count = length.lowest, length.highest - length.lowest + 1
            return lambda draw: lowest + int(draw * count)
        case "empirical":
            return _empirical(length)
        case "normal":
            return _normal(length)
        case "lognormal":
            return _lognormal(length)


def _empirical(length: Length) -> Callable[[float], int]:
    fitting = [(value, weight) for value, weight in length.values if length.lowest <= value <= length.highest]
    below = list(accumulate(weight for _, weight in fitting))
    last = len(fitting) - 1
    return lambda draw: fitting[min(bisect_right(below, draw * below[-1]), last)][0]


def _normal(length: Length) -> Callable[[float], int]:
    normal = NormalDist(length.mean or 0, length.stdev or 1)
    # Every whole number has the probability of the values that are rounded to it.
    return _between(normal, length.lowest - 0.5, length.highest + 0.5, length, lambda value: value)


def _lognormal(length: Length) -> Callable[[float], int]:
    mean, stdev = length.mean or 1, length.stdev or 1
    variance = math.log1p((stdev / mean) ** 2)
    of_logarithms = NormalDist(math.log(mean) - variance / 2, math.sqrt(variance))
    return _between(of_logarithms, math.log(length.lowest - 0.5), math.log(length.highest + 0.5), length, math.exp)


def _between(
    normal: NormalDist, low: float, high: float, length: Length, value_of: Callable[[float], float]
) -> Callable[[float], int]:
    first, last = normal.cdf(low), normal.cdf(high)

    def length_of(draw: float) -> int:
        share = min(max(first + draw * (last - first), _LEAST), _MOST)
        return min(max(round(value_of(normal.inv_cdf(share))), length.lowest), length.highest)

    return length_of
