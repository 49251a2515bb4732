"""A long series keeps its peaks and its lows in a chart of 1,000 points."""

import random

from shared.observing.sample import Sample
from shared.observing.thinning import MAX_POINTS, Thinned


def thinned(samples: list[Sample], begin_us: int, end_us: int) -> Thinned:
    found = Thinned(begin_us, end_us, len(samples))
    for sample in samples:
        found.add(sample)
    return found


def test_a_short_series_stays_whole() -> None:
    samples = [Sample(number, {"running": float(number)}) for number in range(MAX_POINTS)]
    found = thinned(samples, 0, MAX_POINTS - 1)
    assert not found.is_thinned
    assert found.series() == {"running": [(number, float(number)) for number in range(MAX_POINTS)]}


def test_a_long_series_keeps_every_peak_within_the_bound() -> None:
    random.seed(15)
    values = [random.random() for _ in range(86_400)]
    values[40_000], values[70_001] = 50.0, -50.0
    samples = [Sample(number * 1_000_000, {"waiting": value}) for number, value in enumerate(values)]
    found = thinned(samples, 0, 86_399_000_000)
    points = found.series()["waiting"]
    assert found.is_thinned
    assert MAX_POINTS * 0.99 <= len(points) <= MAX_POINTS
    assert (40_000_000_000, 50.0) in points
    assert (70_001_000_000, -50.0) in points
    assert points == sorted(points)
    assert {values[at_us // 1_000_000] for at_us, _ in points} == {value for _, value in points}


def test_only_samples_inside_count() -> None:
    samples = [Sample(number, {"running": 1.0}, {"timed_out": 1}) for number in range(10)]
    found = thinned(samples, 3, 5)
    assert (found.samples, found.failures) == (3, {"timed_out": 3})
    assert [at_us for at_us, _ in found.series()["running"]] == [3, 4, 5]


def test_a_flat_stretch_keeps_one_point() -> None:
    samples = [Sample(number, {"running": 1.0}) for number in range(5_000)]
    assert len(thinned(samples, 0, 4_999).series()["running"]) == MAX_POINTS // 2
