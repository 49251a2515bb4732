"""A distribution in few numbers: quantiles with the raw tail, and histograms."""

from itertools import pairwise

import numpy as np
import pytest

from shared.benchmark.charts.distribution import MOST_BINS, QUANTILES, TAIL, distribution


def test_few_values_are_all_there() -> None:
    found = distribution(np.array([3.0, np.nan, 1.0, 2.0]))
    assert (found["count"], found["quantiles"], found["tail"]) == (3, [1, 2, 3], [])


def test_many_values_are_quantiles_and_the_raw_tail() -> None:
    values = np.random.default_rng(1).lognormal(5, 0.5, 20_000)
    found, ordered = distribution(values), np.sort(values)
    assert (found["count"], len(found["quantiles"])) == (20_000, QUANTILES)
    assert found["quantiles"][255] == pytest.approx(np.quantile(values, 255.5 / 512), abs=1e-3)
    # All that are above the last quantile, up to the maximum.
    above = ordered[ordered > found["quantiles"][-1] + 1e-3]
    assert found["tail"] == pytest.approx(above.tolist(), abs=1e-3)
    assert 10 < len(found["tail"]) < TAIL
    assert len(distribution(np.arange(500_000.0))["tail"]) == TAIL


@pytest.mark.parametrize("kind", ["histogram", "log_histogram"])
@pytest.mark.parametrize(
    "values",
    [
        [142.5],
        [142.5] * 30,
        [100.0, 100.001],
        [0.2, 90_000.0],
        list(range(100, 400)),
        list(np.random.default_rng(2).lognormal(5, 1, 50_000)),
    ],
)
def test_a_histogram_holds_every_value_once_in_a_readable_number_of_bins(kind: str, values: list[float]) -> None:
    found = distribution(np.array(values, dtype=float))[kind]
    edges, counts = found["edges"], found["counts"]
    assert sum(counts) == len(values)
    assert len(edges) == len(counts) + 1 <= MOST_BINS + 3
    assert edges == sorted(set(edges))
    assert edges[0] <= min(values) * (1 + 1e-6)
    assert edges[-1] >= max(values) * (1 - 1e-6)
    assert counts[0]
    assert counts[-1]


def test_linear_edges_are_round_numbers_and_logarithmic_ones_have_one_ratio() -> None:
    found = distribution(np.random.default_rng(3).normal(250, 40, 5_000))
    edges = found["histogram"]["edges"]
    assert {round(later - earlier, 6) for earlier, later in pairwise(edges)} == {10.0}
    assert edges[0] % 10 == 0
    edges = found["log_histogram"]["edges"]
    ratios = [later / earlier for earlier, later in pairwise(edges)]
    assert max(ratios) == pytest.approx(min(ratios), rel=1e-5)


def test_two_humps_are_seen_as_two() -> None:
    """Their quartiles are far apart, so that the usual width would be wide."""
    generator = np.random.default_rng(7)
    counts = distribution(np.concatenate([generator.normal(50, 5, 2_000), generator.normal(210, 10, 1_300)]))[
        "histogram"
    ]["counts"]
    assert len(counts) > 15
    valley = min(range(len(counts)), key=lambda place: counts[place])
    assert max(counts[:valley]) > 300
    assert max(counts[valley:]) > 300


def test_nothing_has_no_bins() -> None:
    empty = {"edges": [], "counts": []}
    for values in ([], [np.nan]):
        assert distribution(np.array(values)) == {
            "count": 0,
            "quantiles": [],
            "tail": [],
            "histogram": empty,
            "log_histogram": empty,
        }
    # A logarithm has no place for zero.
    assert distribution(np.zeros(3))["log_histogram"] == empty
