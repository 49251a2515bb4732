"""Quantiles of Student's t."""

import pytest

from shared.numbers.student import student_t95


@pytest.mark.parametrize(
    ("degrees", "quantile"), [(1, 12.7062), (4, 2.7764), (20, 2.0860), (21, 2.0796), (30, 2.0423), (120, 1.9799)]
)
def test_it_is_what_the_tables_say(degrees: int, quantile: float) -> None:
    """Also where the series takes over from the table."""
    assert student_t95(degrees) == pytest.approx(quantile, abs=2e-4)


def test_it_falls_to_the_normal_quantile() -> None:
    values = [student_t95(degrees) for degrees in range(1, 200)]
    assert values == sorted(values, reverse=True)
    assert student_t95(10**9) == pytest.approx(1.95996, abs=1e-5)


def test_without_a_degree_of_freedom_there_is_none() -> None:
    with pytest.raises(ValueError, match="0 degrees"):
        student_t95(0)
