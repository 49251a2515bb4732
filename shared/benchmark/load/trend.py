"""Whether a quantity grows with time: a least-squares line through its averages over intervals of time."""

import math
from itertools import pairwise

# The averages are over intervals of a second at first. When there are too many, two at a time become one.
INTERVAL_S = 1.0
MOST_INTERVALS = 128
# One-sided, at a level of 1 %.
CRITICAL_T = 2.33
# A line through fewer averages says nothing.
LEAST_INTERVALS = 10
# By how much the quantity must grow over the time looked at, as a share of its mean there.
LEAST_GROWTH = 0.5
# For how long each look must find growth: this long, and this share of the time so far. Of many looks, some find growth
# by chance.
LASTING_S = 10.0
LASTING_SHARE = 0.2


class Trend:
    """Takes samples as they come and keeps at most 128 averages, however many there are.

    **The test.** It looks at the last two thirds of the time, because at the start of a load everything grows. It fits
    a line through the averages. In a stable queue, averages that follow each other are alike, and a line through such
    values looks steeper than chance allows. So the standard error of the slope is widened by sqrt((1 + r) / (1 - r)),
    r being the correlation of each residual with the next. The quantity grows if the slope is more than 2.33 such
    errors above 0, the line rises by at least half of the mean, and every look of the last 10 s, and of the last fifth
    of the time, has found that.

    Watched for 10 minutes over queues with Poisson arrivals and exponential service times, such trends of the requests
    in flight and of the time in the queue together found every load of 1.3 times the capacity, most of them within a
    minute, and none at half of the capacity. Close to the capacity nothing tells the two apart within such a time.
    """

    def __init__(self, from_s: float = 0) -> None:
        """Samples from before `from_s` are left out."""
        self._from_s = from_s
        self._interval_s = INTERVAL_S
        # Sum and number of the samples of each interval, by its number.
        self._intervals: dict[int, tuple[float, int]] = {}
        self._latest = 0
        # Up to which interval the test was last made, and since when (s) it has found growth every time.
        self._looked_at = -1
        self._since_s: float | None = None

    def add(self, at_s: float, value: float) -> None:
        """A sample, taken `at_s` seconds after the start."""
        if at_s < self._from_s:
            return
        number = int((at_s - self._from_s) / self._interval_s)
        total, count = self._intervals.get(number, (0.0, 0))
        self._intervals[number] = total + value, count + 1
        self._latest = max(self._latest, number)
        if len(self._intervals) > MOST_INTERVALS:
            self._merge()

    @property
    def grows(self) -> bool:
        """Whether it grows significantly. Computed anew once an interval."""
        now_s = self._latest * self._interval_s
        if self._looked_at != self._latest:
            self._looked_at = self._latest
            if not self._test():
                self._since_s = None
            elif self._since_s is None:
                self._since_s = now_s
        return self._since_s is not None and now_s - self._since_s >= max(LASTING_S, LASTING_SHARE * now_s)

    def _merge(self) -> None:
        merged: dict[int, tuple[float, int]] = {}
        for number, (total, count) in self._intervals.items():
            other_total, other_count = merged.get(number // 2, (0.0, 0))
            merged[number // 2] = total + other_total, count + other_count
        self._intervals, self._interval_s, self._latest = merged, self._interval_s * 2, self._latest // 2

    def _test(self) -> bool:
        # The interval that goes on is left out: it may have a single sample.
        points = [
            (float(number), total / count)
            for number, (total, count) in sorted(self._intervals.items())
            if self._latest / 3 <= number < self._latest
        ]
        if len(points) < LEAST_INTERVALS:
            return False
        mean_x = math.fsum(x for x, _ in points) / len(points)
        mean_y = math.fsum(y for _, y in points) / len(points)
        spread = math.fsum((x - mean_x) ** 2 for x, _ in points)
        slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / spread
        if slope * (points[-1][0] - points[0][0]) < LEAST_GROWTH * abs(mean_y) or slope <= 0:
            return False
        residuals = [y - mean_y - slope * (x - mean_x) for x, y in points]
        squares = math.fsum(residual**2 for residual in residuals)
        if squares == 0:
            return True
        error = math.sqrt(squares / (len(points) - 2) / spread) * _widening(residuals, squares)
        return slope > CRITICAL_T * error


def _widening(residuals: list[float], squares: float) -> float:
    """By how much the standard error is too small because neighbouring residuals are alike. At least 1."""
    correlation = math.fsum(earlier * later for earlier, later in pairwise(residuals)) / squares
    # From few values the correlation comes out too small (Kendall's correction).
    correlation += (1 + 4 * correlation) / len(residuals)
    correlation = min(max(correlation, 0.0), 0.95)
    return math.sqrt((1 + correlation) / (1 - correlation))
