"""Draws of clusters: each statistic of a draw is that of the values which it repeats."""

import numpy as np
import pytest

from shared.comparison.bootstrap import DRAWS, Sample, drawn_quantiles, drawn_ratios, quantile, weights


def repeated(sample: Sample, drawn: np.ndarray) -> np.ndarray:
    return np.repeat(sample.values, drawn.astype(int)[sample.clusters])


@pytest.mark.parametrize("count", [1, 2, 7, 60, 300, 5_000])
@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("clusters", [6, 40])
def test_a_quantile_of_a_draw_is_that_of_the_values_it_repeats(count: int, share: float, clusters: int) -> None:
    """Type 7, as numpy and the summary have it; ties and clusters of different sizes included."""
    generator = np.random.default_rng(count)
    values = np.round(generator.lognormal(4, 1, count), 1)
    owners = np.minimum(generator.geometric(0.2, count) - 1, clusters - 1)
    sample, drawn = Sample.of(values, owners), weights(clusters, 0)
    found = drawn_quantiles(sample, drawn, share)
    for number in range(0, DRAWS, 400):
        same = repeated(sample, drawn[number])
        expected = float(np.quantile(same, share)) if len(same) else np.nan
        assert found[number] == pytest.approx(expected, nan_ok=True)


@pytest.mark.heavy
def test_a_sorted_run_in_blocks_is_searched_as_well() -> None:
    """All draws differ widely there, so that a coarse search does not bound them."""
    values = np.arange(20_000, dtype=float)
    sample, drawn = Sample.of(values, np.arange(20_000) * 6 // 20_000), weights(6, 0)
    found = drawn_quantiles(sample, drawn, 0.5)
    for number in (0, 1_000, 3_999):
        assert found[number] == pytest.approx(np.quantile(repeated(sample, drawn[number]), 0.5))


def test_draws_are_the_same_each_time_and_independent_of_another_stream() -> None:
    first, other = weights(20, 0), weights(20, 1)
    weights.cache_clear()
    assert (weights(20, 0) == first).all()
    assert (first.sum(axis=1) == 20).all()
    assert abs(np.corrcoef(first[:, 0], other[:, 0])[0, 1]) < 0.1


def test_a_draw_without_any_value_has_no_statistic() -> None:
    sample, drawn = Sample.of(np.array([5.0]), np.array([0])), weights(6, 0)
    found = drawn_quantiles(sample, drawn, 0.5)
    assert np.isnan(found).sum() == (drawn[:, 0] == 0).sum() > 0
    assert set(found[~np.isnan(found)]) == {5.0}
    ratios = drawn_ratios(np.array([3.0, 0, 0, 0, 0, 0]), np.array([2.0, 0, 0, 0, 0, 0]), drawn)
    assert np.isnan(ratios).sum() == (drawn[:, 0] == 0).sum()
    assert set(ratios[~np.isnan(ratios)]) == {1.5}


def test_a_quantile_is_of_type_7() -> None:
    assert quantile(np.array([1.0, 2.0, 4.0]), 0.75) == 3.0
    assert quantile(np.array([7.0]), 0.95) == 7.0
