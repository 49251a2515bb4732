"""Intervals of few clusters."""

from shared.comparison.expanded_tail import expanded_tail


def test_few_clusters_widen_an_interval() -> None:
    tails = [expanded_tail(0.025, clusters) for clusters in (6, 12, 32, 128)]
    assert tails == sorted(tails)
    assert tails[0] < 0.005
    assert 0.018 < tails[-1] < 0.02
