"""When to send: a pace says when each request of a phase is due, and how many may be in flight at which time."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import count, repeat
from typing import NamedTuple


class Room(NamedTuple):
    """From `from_ns` after the start of the phase on, up to `in_flight` requests may be in flight."""

    from_ns: int
    in_flight: int


class Pace(ABC):
    """Deterministic: the same pace gives the same schedule in any process."""

    @abstractmethod
    def due_ns(self) -> Iterator[int | None]:
        """When each place of the phase is due, in ns after the phase began. Endless, and never falls.

        None: the request is due as soon as there is room.
        """

    @abstractmethod
    def room(self) -> Sequence[Room]:
        """How many requests may be in flight, as steps in time. The first step begins at 0."""

    @property
    def rate(self) -> float | None:
        """Requests per second that it wants in the long run. None: a closed loop wants none."""
        return None

    @property
    def max_in_flight(self) -> int:
        """The most that are ever in flight."""
        return max(step.in_flight for step in self.room())


class ClosedLoop(Pace):
    """As soon as one request ends, the next is sent."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency

    def due_ns(self) -> Iterator[int | None]:
        return repeat(None)

    def room(self) -> Sequence[Room]:
        return [Room(0, self._concurrency)]


class ConstantRate(Pace):
    """Evenly spaced, `rate` requests per second; the first is due at once."""

    def __init__(self, rate: float, concurrency: int) -> None:
        self._rate = rate
        self._concurrency = concurrency

    @property
    def rate(self) -> float:
        return self._rate

    def due_ns(self) -> Iterator[int | None]:
        return (int(number / self._rate * 1e9) for number in count())

    def room(self) -> Sequence[Room]:
        return [Room(0, self._concurrency)]


class PoissonRate(ConstantRate):
    """At random, as independent users send: exponential gaps, the same for the same seed."""

    def __init__(self, rate: float, concurrency: int, seed: int) -> None:
        super().__init__(rate, concurrency)
        self._seed = seed

    def due_ns(self) -> Iterator[int | None]:
        import numpy as np  # here, so that the API does not import it at its start

        generator = np.random.default_rng(self._seed)
        generator.exponential(1 / self._rate)  # the gap before the first request, which is due at once
        at_s = 0.0
        while True:
            for gap_s in generator.exponential(1 / self._rate, 1_000):
                yield int(at_s * 1e9)
                at_s += gap_s
