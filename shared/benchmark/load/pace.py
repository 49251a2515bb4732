"""When to send: a pace says when each request of a phase is due, and how many may be in flight at which time.

Schedules are absolute. They follow from the seed alone, and are never stretched to reach a number of requests.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import count, repeat
from typing import TYPE_CHECKING, NamedTuple

from shared.benchmark.load.rate_profile import RateProfile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A number, or (seed, part of the run): the parts of a run have schedules of their own.
Seed = int | tuple[int, ...]

# Arrivals are drawn this many at a time. No part of the schedule: it does not change it.
_DRAWN_TOGETHER = 1_000


class Room(NamedTuple):
    """From `from_ns` after the start of the phase on, up to `in_flight` requests may be in flight."""

    from_ns: int
    in_flight: int


class Pace(ABC):
    """Deterministic: the same pace gives the same schedule in any process."""

    # How long a unit of room rests after its request has ended, in ns, before it is free again.
    think_ns: int = 0

    @abstractmethod
    def due_ns(self) -> Iterator[int | None]:
        """When each place of the phase is due, in ns after the phase began. Never falls.

        None: the request is due as soon as there is room. Ends only if nothing more is ever due.
        """

    @abstractmethod
    def room(self) -> Sequence[Room]:
        """How many requests may be in flight, as steps in time. The first step begins at 0."""

    @property
    def rate(self) -> float | None:
        """Requests per second that it wants. None: a closed loop wants none."""
        return None

    def expected(self, until_s: float) -> float | None:
        """How many requests are due, on average, in the first `until_s` seconds. None: in a closed loop."""
        return None if self.rate is None else self.rate * until_s

    @property
    def settled_s(self) -> float | None:
        """From this time on the load is constant: a ramp is over. None: it changes to its end."""
        return self.room()[-1].from_ns / 1e9

    @property
    def max_in_flight(self) -> int:
        """The most that are ever in flight."""
        return max(step.in_flight for step in self.room())


class ClosedLoop(Pace):
    """As soon as one request ends, the next is sent."""

    def __init__(self, concurrency: int, think_s: float = 0) -> None:
        """`think_s`: how long each stream waits after an answer before its next request."""
        self._concurrency = concurrency
        self.think_ns = round(think_s * 1e9)

    def due_ns(self) -> Iterator[int | None]:
        return repeat(None)

    def room(self) -> Sequence[Room]:
        return [Room(0, self._concurrency)]


class SpreadLoop(ClosedLoop):
    """A closed loop whose streams start one after another, evenly over `first_wave_s`, and not all at once."""

    def __init__(self, concurrency: int, first_wave_s: float, think_s: float = 0) -> None:
        super().__init__(concurrency, think_s)
        self._first_wave_s = first_wave_s

    def room(self) -> Sequence[Room]:
        gap_ns = self._first_wave_s / self._concurrency * 1e9
        return [Room(round(number * gap_ns), number + 1) for number in range(self._concurrency)]


class RampedLoop(ClosedLoop):
    """A closed loop whose concurrency goes from `start` to `concurrency` within `over_s`, one stream at a time."""

    def __init__(self, start: int, concurrency: int, over_s: float, think_s: float = 0) -> None:
        super().__init__(concurrency, think_s)
        self._start = start
        self._over_s = over_s

    def room(self) -> Sequence[Room]:
        steps = abs(self._concurrency - self._start)
        up = 1 if self._concurrency > self._start else -1
        return [
            Room(round(self._over_s * number / steps * 1e9) if number else 0, self._start + up * number)
            for number in range(steps + 1)
        ]


class OpenLoop(Pace):
    """Requests are due by a schedule, however long answers take. A subclass says how they are spaced.

    It spaces them for a rate of one a second; the change of time of `RateProfile` then makes them follow the rate. The
    first is due at once, unless `at_once` is false: then after a gap like the others.
    """

    def __init__(self, rate: float | RateProfile, concurrency: int, *, at_once: bool = True) -> None:
        """`rate`: in requests/s. `concurrency`: the most requests in flight."""
        self._profile = rate if isinstance(rate, RateProfile) else RateProfile.constant(rate)
        self._concurrency = concurrency
        self._at_once = at_once

    @abstractmethod
    def _unit_times(self) -> Iterator["NDArray[np.float64]"]:
        """The times at which requests are due at a rate of one a second, in rising order, some at a time. Endless."""

    @property
    def rate(self) -> float:
        """The mean until the rate is constant; if it always is, that rate."""
        settled_s = self._profile.settled_s
        return self._profile.expected(settled_s) / settled_s if settled_s else self._profile.highest

    def expected(self, until_s: float) -> float:
        return self._profile.expected(until_s)

    @property
    def settled_s(self) -> float:
        return self._profile.settled_s

    def due_ns(self) -> Iterator[int | None]:
        import numpy as np  # here, so that the API does not import it at its start

        last_ns, total = 0, self._profile.total
        for times in self._unit_times():
            due = (self._profile.times_s(times) * 1e9).astype(np.int64)
            # Rounding must not let a time fall where one piece of the rate ends and the next begins.
            due = np.maximum.accumulate(np.maximum(due, last_ns))
            yield from due.tolist()
            if total is not None and times[-1] >= total:
                return
            last_ns = int(due[-1])

    def room(self) -> Sequence[Room]:
        return [Room(0, self._concurrency)]


class ConstantRate(OpenLoop):
    """Evenly spaced. The first is due at once."""

    def _unit_times(self) -> Iterator["NDArray[np.float64]"]:
        import numpy as np

        for number in count(0 if self._at_once else 1, _DRAWN_TOGETHER):
            yield np.arange(number, number + _DRAWN_TOGETHER, dtype=np.float64)


class RandomRate(OpenLoop):
    """At random: the gaps are independent and have a mean of one. The same seed gives the same schedule."""

    def __init__(self, rate: float | RateProfile, concurrency: int, seed: Seed, *, at_once: bool = True) -> None:
        super().__init__(rate, concurrency, at_once=at_once)
        self._seed = seed

    @abstractmethod
    def _gaps(self, generator: "np.random.Generator", number: int) -> "NDArray[np.float64]":
        """The next gaps, with a mean of one."""

    def _unit_times(self) -> Iterator["NDArray[np.float64]"]:
        import numpy as np

        generator = np.random.default_rng(self._seed)
        at = 0.0
        if self._at_once:
            # The gap before the first request is drawn but not waited for.
            at = -float(self._gaps(generator, 1)[0])
            generator = np.random.default_rng(self._seed)
        while True:
            times = at + np.cumsum(self._gaps(generator, _DRAWN_TOGETHER))
            yield np.maximum(times, 0)
            at = float(times[-1])


class PoissonRate(RandomRate):
    """As independent users send: exponential gaps."""

    def _gaps(self, generator: "np.random.Generator", number: int) -> "NDArray[np.float64]":
        return generator.standard_exponential(number)


class GammaRate(RandomRate):
    """Gaps from a gamma distribution: a shape of 1 is Poisson, below 1 requests come in bursts, above 1 more evenly."""

    def __init__(
        self, rate: float | RateProfile, concurrency: int, shape: float, seed: Seed, *, at_once: bool = True
    ) -> None:
        super().__init__(rate, concurrency, seed, at_once=at_once)
        self._shape = shape

    def _gaps(self, generator: "np.random.Generator", number: int) -> "NDArray[np.float64]":
        return generator.standard_gamma(self._shape, number) / self._shape


class Bursts(Pace):
    """`requests` at the same moment, every `every_s` seconds; the first burst is due at once."""

    def __init__(self, requests: int, every_s: float, concurrency: int) -> None:
        self._requests = requests
        self._every_s = every_s
        self._concurrency = concurrency

    @property
    def rate(self) -> float:
        return self._requests / self._every_s

    def due_ns(self) -> Iterator[int | None]:
        return (round(number // self._requests * self._every_s * 1e9) for number in count())

    def room(self) -> Sequence[Room]:
        return [Room(0, self._concurrency)]


class Seamless(Pace):
    """Paces one after another without a break, each for a time of its own. All closed loops, or none."""

    def __init__(self, pieces: Sequence[tuple[Pace, float]]) -> None:
        """`pieces`: each pace and for how long it holds, in s. The closed loops have the same think time."""
        self._pieces = pieces
        self._closed = [isinstance(pace, ClosedLoop) for pace, _ in pieces]
        if any(self._closed) != all(self._closed):
            raise ValueError("closed loops and schedules cannot follow each other without a break")
        self.think_ns = pieces[0][0].think_ns

    @property
    def paces(self) -> Sequence[Pace]:
        return [pace for pace, _ in self._pieces]

    @property
    def rate(self) -> float | None:
        """The mean over all pieces."""
        if all(self._closed):
            return None
        return math.fsum(pace.expected(length_s) or 0 for pace, length_s in self._pieces) / (
            self.boundaries_ns[-1] / 1e9
        )

    @property
    def boundaries_ns(self) -> tuple[int, ...]:
        """When each pace after the first begins, and when the last ends, in ns after the start."""
        ends_s = [
            math.fsum(length_s for _, length_s in self._pieces[: number + 1]) for number in range(len(self._pieces))
        ]
        return tuple(round(end_s * 1e9) for end_s in ends_s)

    def due_ns(self) -> Iterator[int | None]:
        return repeat(None) if all(self._closed) else self._scheduled()

    def _scheduled(self) -> Iterator[int | None]:
        begin_ns = 0
        for (pace, _), end_ns in zip(self._pieces, self.boundaries_ns, strict=True):
            for due_ns in pace.due_ns():
                if due_ns is None or begin_ns + due_ns >= end_ns:
                    break
                yield begin_ns + due_ns
            begin_ns = end_ns

    def room(self) -> Sequence[Room]:
        steps, begin_ns = [], 0
        for (pace, _), end_ns in zip(self._pieces, self.boundaries_ns, strict=True):
            steps += [Room(begin_ns + at, size) for at, size in pace.room() if begin_ns + at < end_ns]
            begin_ns = end_ns
        return steps
