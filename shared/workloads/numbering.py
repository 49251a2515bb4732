"""Numbers the requests of workloads that send a list round after round: places, and names of stored results."""

from typing import Protocol

from shared.benchmark.load.places import PLACES_A_PART, is_warmup, ordinal_of, place_at, stage_of


class Order(Protocol):
    """Maps each place to an entry of a list and a repetition, and back."""

    def named(self, place: int) -> tuple[int, int]:
        """(entry, repetition). The repetition is below 0 for warm-up."""

    def place_of(self, prompt_index: int, repetition: int) -> int:
        """The inverse of `named`."""


class Rounds:
    """All entries in turn, then all again. Rounds of stages and warm-ups do not overlap, and fit into 31 bits."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._of_part = PLACES_A_PART // count + 1

    def named(self, place: int) -> tuple[int, int]:
        rounds, entry = divmod(ordinal_of(place), self.count)
        number = stage_of(place) * self._of_part + rounds
        return entry, -1 - number if is_warmup(place) else number

    def place_of(self, prompt_index: int, repetition: int) -> int:
        number = -1 - repetition if repetition < 0 else repetition
        stage, rounds = divmod(number, self._of_part)
        return place_at(stage, rounds * self.count + prompt_index, warmup=repetition < 0)
