"""Scales: values to pixels, and round ticks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.charts.scale import Scale


def test_a_linear_scale_is_straight() -> None:
    scale = Scale("linear", 0, 200, 50, 450)
    assert [scale.at(value) for value in (0, 50, 200, 400)] == [50, 150, 450, 850]
    assert scale.ticks(5) == [0, 50, 100, 150, 200]


def test_a_log_scale_gives_each_decade_the_same_room() -> None:
    scale = Scale("log", 1, 1_000, 0, 300)
    assert [round(scale.at(value), 9) for value in (1, 10, 100, 1_000)] == [0, 100, 200, 300]
    assert scale.at(0) == 0
    assert scale.ticks(6) == [1, 10, 100, 1_000]
    assert Scale("log", 50, 700, 0, 1).ticks(6) == [50, 100, 200, 500]


def test_an_upright_axis_has_its_low_end_at_the_bottom() -> None:
    assert Scale("linear", 0, 10, 260, 30).at(10) == 30


@pytest.mark.parametrize(
    ("values", "kind", "zero", "expected"),
    [
        ([3, 7], "linear", False, (3, 7)),
        ([3, 7], "linear", True, (0, 7)),
        ([-3], "linear", True, (-3, 0)),
        ([], "linear", False, (0, 1)),
        ([None, math.nan, math.inf], "linear", False, (0, 1)),
        ([5], "linear", False, (2.5, 7.5)),
        ([0], "linear", False, (-1, 1)),
        ([5], "log", False, (2.5, 10)),
        ([0, -1, 10, 20], "log", True, (10, 20)),
        ([], "log", False, (1, 10)),
    ],
)
def test_a_scale_fits_the_values_that_can_be_shown(
    values: list[float | None], kind: str, zero: bool, expected: tuple[float, float]
) -> None:
    scale = Scale.over(values, 0, 100, kind, zero=zero)  # type: ignore[arg-type]
    assert (scale.low, scale.high) == expected


@given(
    low=st.floats(-1e9, 1e9),
    span=st.floats(1e-6, 1e9),
    most=st.integers(2, 12),
)
def test_ticks_are_few_ordered_and_within(low: float, span: float, most: int) -> None:
    scale = Scale("linear", low, low + span, 0, 100)
    if scale.low == scale.high:
        return
    ticks = scale.ticks(most)
    assert len(ticks) <= most + 1
    assert ticks == sorted(ticks)
    slack = (scale.high - scale.low) * 1e-3 + 1e-9 * abs(low)
    assert all(scale.low - slack <= tick <= scale.high + slack for tick in ticks)


@given(low=st.floats(1e-6, 1e6), factor=st.floats(1.001, 1e6), most=st.integers(2, 12))
def test_ticks_of_a_log_scale_are_few_and_within(low: float, factor: float, most: int) -> None:
    scale = Scale("log", low, low * factor, 0, 100)
    ticks = scale.ticks(most)
    assert len(ticks) <= most + 1
    assert all(low * 0.999 <= tick <= low * factor * 1.001 for tick in ticks)
