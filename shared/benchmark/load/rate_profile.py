"""A rate that changes with time, piece by piece linear. Open-loop paces draw their arrivals through it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RateProfile:
    """Requests per second over time.

    Arrivals at a rate of one a second become arrivals at this rate if the time of each is replaced by the time at which
    the integral of the rate reaches it. This change of time is exact: a Poisson process stays a Poisson process whose
    rate at any moment is that of the profile, and evenly spaced arrivals stay evenly spaced in the integral.
    """

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        """`points`: (s, requests/s), strictly rising in time. The rate is constant before the first and after the last.

        Raises ValueError if the points do not rise in time or if all rates are 0.
        """
        points = [(0.0, points[0][1]), *points] if points and points[0][0] > 0 else list(points)
        if not points or points[0][0] < 0 or any(later[0] <= earlier[0] for earlier, later in pairwise(points)):
            raise ValueError("the times must begin at 0 or later and rise")
        if min(rate for _, rate in points) < 0 or max(rate for _, rate in points) == 0:
            raise ValueError("the rates must be at least 0, and one of them above it")
        self._points = points
        # How many requests are due, on average, before each point.
        self._expected = [0.0]
        for (from_s, from_rate), (to_s, to_rate) in pairwise(points):
            self._expected.append(self._expected[-1] + (to_s - from_s) * (from_rate + to_rate) / 2)

    @classmethod
    def constant(cls, rate: float) -> "RateProfile":
        return cls([(0, rate)])

    @property
    def highest(self) -> float:
        """The highest rate, in requests/s."""
        return max(rate for _, rate in self._points)

    @property
    def settled_s(self) -> float:
        """From this time on the rate is constant."""
        return self._points[-1][0]

    @property
    def total(self) -> float | None:
        """How many requests are due, on average, until the rate falls to 0 for good. None: it does not."""
        return self._expected[-1] if self._points[-1][1] == 0 else None

    def expected(self, until_s: float) -> float:
        """How many requests are due, on average, in the first `until_s` seconds: the integral of the rate."""
        last = max(number for number, (at_s, _) in enumerate(self._points) if at_s <= max(until_s, 0))
        at_s, rate = self._points[last]
        passed_s, slope = max(until_s, 0) - at_s, self._slope(last)
        return self._expected[last] + rate * passed_s + slope * passed_s**2 / 2

    def times_s(self, unit_times: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """When the integral of the rate reaches each of these values, in s. Values beyond its total are left out."""
        import numpy as np  # here, so that the API does not import it at its start

        if self.total is not None:
            unit_times = unit_times[unit_times < self.total]
        piece = np.searchsorted(self._expected, unit_times, side="right") - 1
        start_s, rate = (np.array(column, dtype=float)[piece] for column in zip(*self._points, strict=True))
        slope = np.array([self._slope(number) for number in range(len(self._points))])[piece]
        missing = unit_times - np.array(self._expected)[piece]
        # The root of rate x t + slope x t^2 / 2 = missing, in the form that is exact for small slopes too.
        root = np.sqrt(np.maximum(rate**2 + 2 * slope * missing, 0))
        divisor = rate + root
        return np.asarray(start_s + 2 * missing / np.where(divisor > 0, divisor, 1))

    def _slope(self, number: int) -> float:
        """How fast the rate rises after this point, in requests/s^2."""
        if number + 1 == len(self._points):
            return 0
        (from_s, from_rate), (to_s, to_rate) = self._points[number : number + 2]
        return (to_rate - from_rate) / (to_s - from_s)
