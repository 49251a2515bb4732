"""Numbers for people."""

import math

import pytest

from api.pages.words import numbers


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0, "0"),
        (142.4, "142"),
        (142.53, "143"),
        (0.31456, "0.315"),
        (9.9951, "10.0"),
        (99.96, "100"),
        (1240.4, "1,240"),
        (1234567.8, "1,234,568"),
        (-12.345, "-12.3"),
        (0.0000123456, "0.0000123"),
        (5.0, "5.00"),
        (42.0, "42.0"),
        # Whole numbers are counted, not measured.
        (5, "5"),
        (12_345, "12,345"),
    ],
)
def test_three_significant_digits(value: float | None, expected: str) -> None:
    assert numbers.significant(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.31, "0.310 ms"),
        (142.5, "142 ms"),
        (1240, "1.24 s"),
        (180_000, "3.00 min"),
        (9_000_000, "2.50 h"),
        (None, "–"),
    ],
)
def test_durations_have_the_unit_that_suits_them(value: float | None, expected: str) -> None:
    assert numbers.duration_ms(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "–"), (0, "$0.00"), (1.254, "$1.25"), (1234.5, "$1,234.50"), (0.0000163, "$0.0000163"), (-0.5, "-$0.500")],
)
def test_money(value: float | None, expected: str) -> None:
    assert numbers.usd(value) == expected


def test_a_small_cost_is_that_of_a_thousand() -> None:
    assert numbers.usd_per_1000(0.000145) == "$0.145"
    assert numbers.usd_per_1000(None) == "–"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.125, "12.5 %"),
        (0.008, "0.8 %"),
        (0.00005, "< 0.01 %"),
        (0.99999, "> 99.99 %"),
        (0.01, "1 %"),
    ],
)
def test_shares_that_are_not_all_or_nothing_do_not_look_like_it(value: float | None, expected: str) -> None:
    assert numbers.share(value) == expected


def test_exact_values_keep_their_digits() -> None:
    assert numbers.exact(1240.318) == "1240.318"
    assert numbers.exact(12) == "12"
    assert numbers.exact(None) == "–"
    assert numbers.count(1_000_000) == "1,000,000"
