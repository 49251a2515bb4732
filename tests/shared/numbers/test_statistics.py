"""Distributions: type-7 percentiles as numpy has them, null where a count cannot support one, honest intervals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.numbers.percentiles import MIN_COUNT, WITH_INTERVAL
from shared.numbers.statistics import distribution

numbers = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)


@given(st.lists(numbers, min_size=100, max_size=150))
def test_percentiles_are_numpys_linear_ones(values: list[float]) -> None:
    """Type 7: numpy's default, whatever the order in which the values come."""
    found = distribution(values)
    for percent in MIN_COUNT:
        assert found[f"p{percent}"] == pytest.approx(np.percentile(values, percent, method="linear"))


def test_percentiles_interpolate_between_values() -> None:
    """The type-7 rank of p90 in 1..10 is 9.1, and of p50 5.5."""
    found = distribution([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    assert found["p90"] == pytest.approx(9.1)
    assert found["p50"] == 5.5


@pytest.mark.parametrize(("percent", "needed"), [(50, 1), (90, 10), (95, 20), (99, 100)])
def test_a_percentile_is_null_below_its_count_and_there_from_it_on(percent: int, needed: int) -> None:
    assert distribution([1.0] * (needed - 1))[f"p{percent}"] is None
    assert distribution([1.0] * needed)[f"p{percent}"] == 1.0


def test_an_empty_distribution_counts_zero_and_knows_nothing_else() -> None:
    found = distribution([])
    assert found.pop("count") == 0
    assert set(found.values()) == {None}


def test_one_value_has_no_deviation() -> None:
    found = distribution([7.0])
    assert (found["min"], found["max"], found["mean"], found["p50"]) == (7.0, 7.0, 7.0, 7.0)
    assert found["stdev"] is None


def test_the_deviation_is_the_samples() -> None:
    """Divided by n - 1, not by n."""
    assert distribution([1.0, 2.0, 3.0, 4.0])["stdev"] == pytest.approx(1.2909944487358056)


@given(st.lists(numbers, max_size=120))
def test_every_distribution_is_json_and_in_order(values: list[float]) -> None:
    """Plain floats or null; min <= p50 <= p90 <= p95 <= p99 <= max as far as they are known."""
    found = distribution(values)
    assert {type(value) for value in found.values()} <= {int, float, list, type(None)}
    names = ("min", "p50", "p90", "p95", "p99", "max")
    known = [found[name] for name in names if found[name] is not None]
    assert known == sorted(known)


@pytest.mark.heavy
@pytest.mark.parametrize("count", [120, 500])
def test_the_interval_holds_the_true_percentile_95_times_in_100(count: int) -> None:
    """Over 800 seeded samples of a skewed distribution whose percentiles are known exactly."""
    generator = np.random.default_rng(20_250_115)
    found = [distribution(generator.exponential(size=count)) for _ in range(800)]
    for percent in WITH_INTERVAL:
        truth = -np.log(1 - percent / 100)
        intervals = [item[f"p{percent}_ci95"] for item in found]
        if (percent, count) == (99, 120):
            assert set(intervals) == {None}, "120 values cannot bound a p99 from above"
        else:
            assert sum(low <= truth <= high for low, high in intervals) / len(intervals) >= 0.94


@pytest.mark.parametrize("count", [9_990, 10_010])
def test_the_interval_is_the_same_by_the_exact_and_by_the_fast_way(count: int) -> None:
    """Around 10,000 values the way of counting changes and the ranks do not jump."""
    low, high = distribution(list(range(count)))["p95_ci95"]
    assert low == pytest.approx(count * 0.95 - 1.96 * np.sqrt(count * 0.95 * 0.05), abs=2.5)
    assert high == pytest.approx(count * 0.95 + 1.96 * np.sqrt(count * 0.95 * 0.05), abs=2.5)


@pytest.mark.parametrize(("count", "expected"), [(5, None), (6, [1.0, 6.0])])
def test_the_medians_interval_needs_six_values(count: int, expected: Any) -> None:
    """With five, even minimum to maximum holds the median only 93.75 times in 100."""
    assert distribution([float(value) for value in range(1, count + 1)])["p50_ci95"] == expected
