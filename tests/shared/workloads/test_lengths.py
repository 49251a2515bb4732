"""Lengths follow their distributions, within their bounds."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from shared.benchmark.workload.length_spec import Length
from shared.workloads.lengths import Lengths, quantiles

DRAWS = 20_000


def drawn(**fields: Any) -> NDArray[np.int64]:
    lengths = Lengths(Length.model_validate(fields), seed=3, purpose="input")
    return np.array([lengths.at(place) for place in range(DRAWS)])


def test_a_fixed_length_is_always_the_same() -> None:
    assert set(drawn(distribution="fixed", value=512)) == {512}


def test_uniform_lengths_take_every_value_equally_often_bounds_included() -> None:
    values, counts = np.unique(drawn(distribution="uniform", min=10, max=19), return_counts=True)
    assert values.tolist() == list(range(10, 20))
    assert counts.min() > 0.9 * DRAWS / 10
    assert counts.max() < 1.1 * DRAWS / 10


def test_normal_lengths_have_their_mean_and_deviation() -> None:
    found = drawn(distribution="normal", mean=1000, stdev=100)
    assert found.mean() == pytest.approx(1000, abs=3)
    assert found.std() == pytest.approx(100, rel=0.03)
    below = np.mean(found < 1000 - 100)
    assert below == pytest.approx(0.1587, abs=0.01)


def test_lognormal_lengths_have_the_mean_and_deviation_of_the_lengths_themselves() -> None:
    found = drawn(distribution="lognormal", mean=500, stdev=250)
    assert found.mean() == pytest.approx(500, rel=0.02)
    assert found.std() == pytest.approx(250, rel=0.06)
    # The median lies below the mean by what the variance of the logarithms says.
    assert np.median(found) == pytest.approx(500 / math.sqrt(1.25), rel=0.02)


def test_empirical_lengths_come_as_often_as_their_weights_say() -> None:
    found = drawn(distribution="empirical", values=[[128, 3], [2048, 1]])
    assert set(found) == {128, 2048}
    assert np.mean(found == 128) == pytest.approx(0.75, abs=0.01)


def test_what_is_cut_off_does_not_pile_up_at_the_bounds() -> None:
    """As if values outside had been drawn again."""
    found = drawn(distribution="normal", mean=100, stdev=50, min=80, max=120)
    assert found.min() == 80
    assert found.max() == 120
    at_bounds = np.mean((found == 80) | (found == 120))
    # Nearly uniform there, so 2 of 41 values.
    assert at_bounds == pytest.approx(2 / 41, abs=0.01)


def test_empirical_values_outside_the_bounds_are_left_out() -> None:
    found = drawn(distribution="empirical", values=[[10, 5], [100, 1], [1000, 1]], min=50, max=2000)
    assert set(found) == {100, 1000}
    assert np.mean(found == 100) == pytest.approx(0.5, abs=0.015)


def test_input_and_output_lengths_of_a_place_are_independent() -> None:
    length = Length(distribution="uniform", min=1, max=1000)
    inputs, outputs = Lengths(length, 1, "input"), Lengths(length, 1, "output")
    both = np.array([(inputs.at(place), outputs.at(place)) for place in range(10_000)])
    assert abs(np.corrcoef(both.T)[0, 1]) < 0.04


def test_a_place_has_its_length_whatever_was_asked_before() -> None:
    length = Length(distribution="lognormal", mean=100, stdev=80)
    forwards = [Lengths(length, 5, "input").at(place) for place in range(50)]
    lengths = Lengths(length, 5, "input")
    assert [lengths.at(place) for place in reversed(range(50))] == forwards[::-1]


bounded = st.tuples(st.integers(1, 1_000_000), st.integers(1, 1_000_000)).map(sorted)


@given(
    bounds=bounded, where=st.floats(0, 1), stdev=st.floats(0.001, 1_000_000), draw=st.floats(1e-16, 1, exclude_max=True)
)
@pytest.mark.parametrize("distribution", ["normal", "lognormal"])
def test_no_draw_leaves_the_bounds(
    distribution: str, bounds: list[int], where: float, stdev: float, draw: float
) -> None:
    low, high = bounds
    mean = min(low + where * (high - low), high)
    length = Length.model_validate(
        {"distribution": distribution, "mean": mean, "stdev": stdev, "min": low, "max": high}
    )
    assert low <= quantiles(length)(draw) <= high


@given(draws=st.lists(st.floats(1e-16, 1, exclude_max=True), min_size=2, max_size=2).map(sorted))
@pytest.mark.parametrize(
    "fields",
    [
        {"distribution": "normal", "mean": 300, "stdev": 200},
        {"distribution": "lognormal", "mean": 300, "stdev": 400, "max": 5000},
        {"distribution": "uniform", "min": 3, "max": 9},
        {"distribution": "empirical", "values": [[1, 1], [5, 2], [7, 1]]},
    ],
)
def test_a_larger_draw_never_gives_a_shorter_length(fields: dict[str, Any], draws: list[float]) -> None:
    length_of = quantiles(Length.model_validate(fields))
    assert length_of(draws[0]) <= length_of(draws[1])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"distribution": "normal", "mean": 5}, "normal needs stdev"),
        ({"distribution": "uniform", "max": 5}, "uniform needs min"),
        ({"distribution": "fixed", "value": 5, "max": 9}, "fixed does not take max"),
        ({"distribution": "uniform", "min": 1, "max": 5, "mean": 3}, "uniform does not take mean"),
        ({"distribution": "uniform", "min": 6, "max": 5}, "min must not be greater than max"),
        ({"distribution": "normal", "mean": 50, "stdev": 1, "max": 40}, "mean must be between min and max"),
        ({"distribution": "empirical"}, "empirical needs values"),
        ({"distribution": "empirical", "values": [[5, 1]], "min": 6}, "values must have one between min and max"),
        ({"distribution": "empirical", "values": [[5, 0]]}, "greater than 0"),
        ({"distribution": "empirical", "values": [[5]]}, "Field required"),
        ({"distribution": "fixed", "value": 0}, "greater than or equal to 1"),
        ({"distribution": "fixed", "value": 1_000_001}, "less than or equal to 1000000"),
        ({"distribution": "normal", "mean": 5, "stdev": 0}, "greater than 0"),
        ({"distribution": "zipf"}, "Input should be"),
    ],
)
def test_a_distribution_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Length.model_validate(fields)
