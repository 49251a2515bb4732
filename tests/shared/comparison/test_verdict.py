"""Verdicts by interval and margin, and how many requests are missing."""

import pytest

from shared.comparison.measure import COST, ERRORS, QUANTILES, Difference, Interval, Known, Margins
from shared.comparison.verdict import more_requests, verdict_of

TTFT = next(measure for measure in QUANTILES if (measure.metric, measure.statistic) == ("ttft_ms", "p50"))
SPEED = next(measure for measure in QUANTILES if measure.metric == "tokens_per_second")


def difference(value: float, half_95: float, n: int = 100) -> Difference:
    known = Known(n, 200.0, None)
    half_90 = half_95 * 1.645 / 1.96
    return Difference(known, known, value, (value - half_95, value + half_95), (value - half_90, value + half_90))


@pytest.mark.parametrize(
    ("value", "half", "verdict"),
    [
        (-50, 40, "different"),
        (50, 40, "different"),
        (8, 5, "too_small_to_matter"),
        (-8, 5, "too_small_to_matter"),
        (1, 8, "practically_equal"),
        (0, 10, "practically_equal"),
        (0, 12, "too_early"),
        (9, 20, "too_early"),
        (30, 30, "too_early"),
    ],
)
def test_the_interval_and_the_margin_decide(value: float, half: float, verdict: str) -> None:
    """With a margin of 10. An interval that ends at 0 does not exclude it."""
    assert verdict_of(difference(value, half), 10) == verdict


def test_without_an_interval_it_is_too_early() -> None:
    known = Known(10, 200.0, None)
    assert verdict_of(Difference(known, known, 100, needed=72), 10) == "too_early"
    assert more_requests(Difference(known, known, 100, needed=72), 10) == 62
    assert verdict_of(Difference(known, Known(0, None, None), None), 10) == "too_early"
    assert more_requests(Difference(known, Known(0, None, None), None), 10) is None


@pytest.mark.parametrize(
    ("value", "half", "more"),
    [
        # Twice as wide as the difference: four times as many requests exclude 0.
        (30, 60, 300),
        (-30, 60, 300),
        # No difference: the 90 % interval must shrink from 16.8 to the margin of 10.
        (0, 20, 190),
        # Both are possible: what comes first counts.
        (9, 18, 300),
        (1, 20, 250),
        (30, 300, 9_900),
    ],
)
def test_missing_requests_follow_from_the_width(value: float, half: float, more: int) -> None:
    """An interval shrinks with the square root of n. Two digits, rounded up."""
    assert more_requests(difference(value, half), 10) == more


def test_so_many_requests_more_give_a_verdict() -> None:
    for value, half in ((30, 61), (0, 20), (4, 30), (11, 40)):
        before = difference(value, half)
        more = more_requests(before, 10)
        assert more is not None
        after = difference(value, half * (100 / (100 + more)) ** 0.5)
        assert verdict_of(before, 10) == "too_early"
        assert verdict_of(after, 10) != "too_early"


def test_the_larger_margin_holds() -> None:
    """10 ms do not matter of 50 ms, 5 % do not matter of 1 s; ms say nothing about tokens/s; shares have points."""
    margins = Margins()
    assert margins.of(TTFT, 50) == 10
    assert margins.of(TTFT, 1_000) == 50
    assert margins.of(SPEED, 40) == 2
    assert margins.of(COST, 2) == pytest.approx(0.1)
    assert margins.of(ERRORS, 0.5) == 0.01
    assert Margins(0, 0, 0).of(TTFT, 50) == 0


def test_all_verdicts_are_of_one_interval_each() -> None:
    low_high: Interval = (1.0, 3.0)
    known = Known(50, 100.0, None)
    assert verdict_of(Difference(known, known, 2.0, low_high, low_high), 1.0) == "different"
    assert verdict_of(Difference(known, known, 2.0, low_high, low_high), 2.0) == "too_small_to_matter"
