"""Orders of a list other than in turn. Used by the workloads on lists; `numbering.Rounds` is the order in turn."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from shared.benchmark.load.places import PLACES_A_PART, is_warmup, ordinal_of, part_of, place_at, stage_of
from shared.workloads.numbering import Rounds
from shared.workloads.seeded import key_of, permutation, uniform

_ROUNDS_KEPT = 4


class Shuffled:
    """All entries in a random order, then all in another one, and so on. Each part has orders of its own."""

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self._in_turn = Rounds(count)
        # Places come one after the other, so a few rounds at a time are enough.
        self._round = lru_cache(maxsize=_ROUNDS_KEPT)(partial(_make_round, count, seed))

    def named(self, place: int) -> tuple[int, int]:
        position, repetition = self._in_turn.named(place)
        entries, _ = self._round_at(place)
        return int(entries[position]), repetition

    def place_of(self, prompt_index: int, repetition: int) -> int:
        _, positions = self._round_at(self._in_turn.place_of(0, repetition))
        return self._in_turn.place_of(int(positions[prompt_index]), repetition)

    def _round_at(self, place: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self._round(part_of(place), ordinal_of(place) // self.count)


def _make_round(count: int, seed: int, part: int, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The entry at each position, and the position of each entry."""
    entries = permutation(key_of(seed, "order", part, number), count)
    return entries, np.argsort(entries)


class Weighted:
    """An entry is drawn for each place, with the probability that its weight says."""

    def __init__(self, weights: Sequence[float], seed: int) -> None:
        self._below = list(accumulate(weights))
        self._seed = seed

    def named(self, place: int) -> tuple[int, int]:
        draw = uniform(self._seed, "order", place) * self._below[-1]
        entry = min(bisect_right(self._below, draw), len(self._below) - 1)
        # An entry may come any number of times, so the repetition says which request of the part it is.
        number = stage_of(place) * PLACES_A_PART + ordinal_of(place)
        return entry, -1 - number if is_warmup(place) else number

    def place_of(self, prompt_index: int, repetition: int) -> int:
        number = -1 - repetition if repetition < 0 else repetition
        return place_at(*divmod(number, PLACES_A_PART), warmup=repetition < 0)
