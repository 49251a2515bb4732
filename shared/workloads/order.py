"""In which order a list of prompts or rows is sent, and how results name its requests. Used by workloads on lists.

An order maps each place to (prompt_index, repetition) and back. A repetition below 0 is one of the warm-up. Both
numbers fit 31 bits.
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from shared.benchmark.places import PLACES_A_PART, is_warmup, ordinal_of, part_of, place_at, stage_of
from shared.workloads.seeded import key_of, permutation, uniform

_ROUNDS_KEPT = 4


class Order(ABC):
    """The order of a list of `count` entries."""

    def __init__(self, count: int) -> None:
        self.count = count

    @abstractmethod
    def named(self, place: int) -> tuple[int, int]:
        """(prompt_index, repetition) of this place."""

    @abstractmethod
    def place_of(self, prompt_index: int, repetition: int) -> int:
        """The inverse of `named`."""


class Rounds(Order):
    """All entries once, then all again, and so on. Here in turn."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        # The last round of a part may be a partial one.
        self._rounds_a_part = PLACES_A_PART // count + 1

    def named(self, place: int) -> tuple[int, int]:
        turn, position = divmod(ordinal_of(place), self.count)
        repetition = stage_of(place) * self._rounds_a_part + turn
        return self._entry(part_of(place), turn, position), _signed(repetition, is_warmup(place))

    def place_of(self, prompt_index: int, repetition: int) -> int:
        number, warmup = _unsigned(repetition)
        stage, turn = divmod(number, self._rounds_a_part)
        position = self._position(2 * stage + (not warmup), turn, prompt_index)
        return place_at(stage, turn * self.count + position, warmup=warmup)

    def _entry(self, part: int, turn: int, position: int) -> int:
        return position

    def _position(self, part: int, turn: int, entry: int) -> int:
        return entry


class Shuffled(Rounds):
    """Rounds, each in a random order of its own."""

    def __init__(self, count: int, seed: int) -> None:
        super().__init__(count)
        self._seed = seed
        # Places come one after the other, so a few rounds at a time are enough.
        self._round = lru_cache(maxsize=_ROUNDS_KEPT)(self._make_round)

    def _make_round(self, part: int, turn: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The entry at each position, and the position of each entry."""
        entries = permutation(key_of(self._seed, "order", part, turn), self.count)
        return entries, np.argsort(entries)

    def _entry(self, part: int, turn: int, position: int) -> int:
        return int(self._round(part, turn)[0][position])

    def _position(self, part: int, turn: int, entry: int) -> int:
        return int(self._round(part, turn)[1][entry])


class Weighted(Order):
    """An entry is drawn for each place, with the probability that its weight says."""

    def __init__(self, weights: Sequence[float], seed: int) -> None:
        super().__init__(len(weights))
        self._below = list(accumulate(weights))
        self._seed = seed

    def named(self, place: int) -> tuple[int, int]:
        draw = uniform(self._seed, "order", place) * self._below[-1]
        entry = min(bisect_right(self._below, draw), self.count - 1)
        # An entry may come any number of times, so the repetition says which request of the part it is.
        repetition = stage_of(place) * PLACES_A_PART + ordinal_of(place)
        return entry, _signed(repetition, is_warmup(place))

    def place_of(self, prompt_index: int, repetition: int) -> int:
        number, warmup = _unsigned(repetition)
        return place_at(*divmod(number, PLACES_A_PART), warmup=warmup)


def _signed(repetition: int, warmup: bool) -> int:
    return -1 - repetition if warmup else repetition


def _unsigned(repetition: int) -> tuple[int, bool]:
    return (-1 - repetition, True) if repetition < 0 else (repetition, False)
