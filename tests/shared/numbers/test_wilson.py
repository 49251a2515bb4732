"""Wilson's interval against published values."""

import pytest

from shared.numbers.wilson import wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 1 - 0.1170, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_known_intervals(successes: int, trials: int, low: float, high: float) -> None:
    """The interval is the published one to four digits."""
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_seventy_three_successes_resolve_a_target_of_95_percent() -> None:
    """That is how many requests a probe needs at least."""
    assert wilson_interval(72, 72)[0] < 0.95 <= wilson_interval(73, 73)[0]


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson_interval(3, 2)
