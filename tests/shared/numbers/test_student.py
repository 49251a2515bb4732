"""Quantiles of Student's t."""

import pytest

from shared.numbers.student import t_quantile


@pytest.mark.parametrize(
    ("degrees", "quantile"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (5, 2.5706), (20, 2.0860), (31, 2.0395), (120, 1.9799)],
)
def test_it_is_what_the_tables_say(degrees: int, quantile: float) -> None:
    """Also where the series takes over from the exact values."""
    assert t_quantile(0.975, degrees) == pytest.approx(quantile, abs=6e-5)
    assert t_quantile(0.025, degrees) == pytest.approx(-quantile, abs=6e-5)


@pytest.mark.parametrize(("share", "quantile"), [(0.5, 0.0), (0.9, 1.4759), (0.95, 2.0150), (0.995, 4.0321)])
def test_any_share_has_one(share: float, quantile: float) -> None:
    assert t_quantile(share, 5) == pytest.approx(quantile, abs=6e-5)


def test_it_falls_to_the_normal_quantile() -> None:
    values = [t_quantile(0.975, degrees) for degrees in range(1, 200)]
    assert values == sorted(values, reverse=True)
    assert t_quantile(0.975, 10**9) == pytest.approx(1.95996, abs=1e-5)


def test_without_a_degree_of_freedom_there_is_none() -> None:
    with pytest.raises(ValueError, match="0 degrees"):
        t_quantile(0.975, 0)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_ends_have_none(share: float) -> None:
    with pytest.raises(ValueError, match="no share"):
        t_quantile(share, 5)
