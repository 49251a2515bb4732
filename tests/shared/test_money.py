"""Micro-dollars: never less than what was spent, and shown exactly."""

from decimal import Decimal

import pytest

from shared.money import micro_usd, usd, usd_text


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        ("0", 0),
        ("1", 1_000_000),
        ("0.000001", 1),
        ("0.0000010000001", 2),
        ("0.00001075", 11),
        ("12.345678", 12_345_678),
    ],
)
def test_dollars_are_rounded_up_to_a_micro_dollar(amount: str, micros: int) -> None:
    assert micro_usd(Decimal(amount)) == micros


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0.00"),
        (1, "0.000001"),
        (10_000, "0.01"),
        (1_500_000, "1.50"),
        (100_000_000, "100.00"),
        (1_234_500, "1.2345"),
    ],
)
def test_micro_dollars_are_shown_with_as_many_decimals_as_they_need(micros: int, text: str) -> None:
    assert usd_text(micros) == text
    assert micro_usd(usd(micros)) == micros
