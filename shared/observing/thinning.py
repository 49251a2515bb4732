"""Thins a series for a chart: of each stretch of time, its lowest and its highest value stay."""

from collections.abc import Mapping

from shared.observing.sample import Sample
from shared.observing.series import ALL

MAX_POINTS = 1_000

Point = tuple[int, float]


class Thinned:
    """The samples from `begin_us` to `end_us`, at most MAX_POINTS of each series. Add them in their order of time."""

    def __init__(self, begin_us: int, end_us: int, samples: int) -> None:
        """`samples`: how many there are; if they are few, all stay."""
        self._begin_us, self._end_us = begin_us, end_us
        self.is_thinned = samples > MAX_POINTS
        stretches = MAX_POINTS // 2
        self._stretch_us = max(1, -(-(end_us - begin_us + 1) // stretches))
        self._points: dict[str, list[Point]] = {}
        # Of the stretch in progress, by series: its number, its lowest and its highest point.
        self._now: dict[str, tuple[int, Point, Point]] = {}
        self.samples = 0
        self.failures: dict[str, int] = {}

    def add(self, sample: Sample) -> None:
        if not self._begin_us <= sample.at_us <= self._end_us:
            return
        if not sample.values and not sample.failed:
            # It has only probes.
            return
        self.samples += 1
        for kind, count in sample.failed.items():
            self.failures[kind] = self.failures.get(kind, 0) + count
        for name, value in sample.values.items():
            point = (sample.at_us, value)
            if not self.is_thinned:
                self._points.setdefault(name, []).append(point)
                continue
            stretch = (sample.at_us - self._begin_us) // self._stretch_us
            number, low, high = self._now.get(name, (stretch, point, point))
            if number != stretch:
                self._keep(name, low, high)
                low = high = point
            self._now[name] = (stretch, min(low, point, key=_value), max(high, point, key=_value))

    def series(self) -> Mapping[str, list[Point]]:
        """(time in µs, value) by series. Call it once, at the end."""
        for name, (_, low, high) in self._now.items():
            self._keep(name, low, high)
        self._now.clear()
        return {series.name: self._points[series.name] for series in ALL if series.name in self._points}

    def _keep(self, name: str, low: Point, high: Point) -> None:
        self._points.setdefault(name, []).extend(sorted({low, high}))


def _value(point: Point) -> float:
    return point[1]
