"""Which values of two runs depend on each other: the clusters that the bootstrap draws.

By prompt, if prompts were sent more than once; by blocks of time, as long as the memory of the values demands.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.comparison.bootstrap import MOST_CLUSTERS

# With fewer clusters nobody can tell how far they differ.
LEAST_CLUSTERS = 6
# More values of a run than this are put into as many blocks at most.
MOST_BLOCKS = 32
_BLOCKS = (32, 24, 16, 12, 8, 6)
# A block is this many times as long as the values remember.
BLOCK_BY_MEMORY = 2.5
# The window of the sum of autocorrelations, in units of the sum (Sokal 1997).
_WINDOW = 5
# A sum up to this is noise of independent values, unless the first autocorrelation stands out too.
_NOISE = 1.5

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Basis = Literal["prompts", "time"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """The cluster of each request of two runs. `joint`: cluster 3 of one is cluster 3 of the other, drawn together."""

    basis: Basis
    first: Ints
    second: Ints
    count_first: int
    count_second: int
    joint: bool

    @property
    def least(self) -> int:
        """How many of them have values, in the run that has fewer."""
        return min(len(np.unique(self.first)), len(np.unique(self.second)))


@dataclass(frozen=True, slots=True)
class TooFew:
    """There are too few clusters. `needed`: requests of a run, about, that have enough."""

    needed: int


def memory(values: Floats) -> float:
    """For how many requests the values remember: the sum of their autocorrelations, of ranks. At least 1.

    1 means that they are independent. Ranks, because one outlier would hide how the others depend.
    """
    count = len(values)
    if count < 4:
        return 1.0
    ranks = np.empty(count)
    ranks[np.argsort(values, kind="stable")] = np.arange(count)
    # Equal values have the same rank, or their order in time would look like a trend.
    _, same = np.unique(values, return_inverse=True)
    ranks = (np.bincount(same, weights=ranks) / np.bincount(same))[same]
    ranks -= ranks.mean()
    spectrum = np.fft.rfft(ranks, 2 * count)
    correlations = np.fft.irfft((spectrum * np.conj(spectrum)).real)[:count]
    if correlations[0] <= 0:
        return 1.0
    correlations = correlations / correlations[0]
    total = 1.0
    for lag in range(1, count // 2):
        total += 2 * float(correlations[lag])
        if lag >= _WINDOW * total or lag >= count // 3:
            break
    stands_out = correlations[1] > 1 / math.sqrt(count)
    return max(1.0, total) if stands_out or total > _NOISE else 1.0


def blocks(first: Floats, second: Floats) -> int | TooFew:
    """How many blocks of time each run is cut into. Their values are in order of time."""
    remembers = max(memory(first), memory(second))
    least = min(len(first), len(second))
    if remembers <= 1 and least <= MOST_BLOCKS:
        return least if least >= LEAST_CLUSTERS else TooFew(LEAST_CLUSTERS)
    possible = int(least / (BLOCK_BY_MEMORY * remembers)) if remembers > 1 else least
    found = next((count for count in _BLOCKS if count <= possible), None)
    return TooFew(math.ceil(LEAST_CLUSTERS * BLOCK_BY_MEMORY * remembers)) if found is None else found


def clusters_of(
    prompts: tuple[Ints, Ints], places: tuple[Ints, Ints], values: tuple[Floats, Floats], *, same_texts: bool
) -> Sequence[Clusters | TooFew]:
    """The clusters that count, of which the widest interval is taken: by prompt, by time, or both.

    `prompts`: of every request of both runs. `places`: which requests have a value. `same_texts`: a prompt of both runs
    is the same text, so that what both share cancels out of their difference.
    """
    of_values = prompts[0][places[0]], prompts[1][places[1]]
    found = list(_by_prompt(of_values, same_texts))
    number = blocks(*values)
    if isinstance(number, TooFew):
        return [*found, number]
    if same_texts:
        # Blocks of the same part of both runs. If the runs are equally long, they have the same requests. If not, they
        # share the time or nothing, and drawing them together makes no interval too narrow.
        cut = [place * number // len(every) for place, every in zip(places, prompts, strict=True)]
        if min(len(np.unique(item)) for item in cut) >= LEAST_CLUSTERS:
            return [*found, Clusters("time", cut[0], cut[1], number, number, True)]
    # Blocks of the same number of values, also if the known values of a run are all in a few parts of it.
    cut = [np.arange(len(place)) * number // len(place) for place in places]
    return [*found, Clusters("time", cut[0], cut[1], number, number, False)]


def _by_prompt(prompts: tuple[Ints, Ints], same_texts: bool) -> Iterator[Clusters | TooFew]:
    """Nothing if prompts were sent once, or if both runs have the same few: what is said then holds for these alone."""
    different = [len(np.unique(item)) for item in prompts]
    if all(count == len(item) for count, item in zip(different, prompts, strict=True)):
        return
    if min(different) < LEAST_CLUSTERS:
        if not same_texts:
            yield TooFew(math.ceil(max(map(len, prompts)) * LEAST_CLUSTERS / min(different)))
        return
    if same_texts:
        _, whole = np.unique(np.concatenate(prompts), return_inverse=True)
        whole, count = _capped(whole.astype(np.int64))
        yield Clusters("prompts", whole[: len(prompts[0])], whole[len(prompts[0]) :], count, count, True)
        return
    capped = [_capped(np.unique(item, return_inverse=True)[1].astype(np.int64)) for item in prompts]
    (first, count_first), (second, count_second) = capped
    yield Clusters("prompts", first, second, count_first, count_second, False)


def _capped(owners: Ints) -> tuple[Ints, int]:
    """Neighbouring prompts together, if there are many."""
    count = int(owners.max()) + 1
    return (owners, count) if count <= MOST_CLUSTERS else (owners * MOST_CLUSTERS // count, MOST_CLUSTERS)
