"""A statistic of two runs: both values, their difference and ratio, each with intervals by cluster bootstrap."""

from dataclasses import dataclass

import numpy as np

from shared.comparison.bootstrap import Floats, Ints, Sample, Weights, drawn_quantiles, drawn_ratios, quantile, weights
from shared.comparison.clusters import Clusters, TooFew, clusters_of
from shared.comparison.expanded_tail import expanded_tail
from shared.comparison.measure import Difference, Interval, Known, Measure
from shared.comparison.run_rows import RunRows


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Draws of the statistic of both runs, and the clusters that they come from."""

    clusters: Clusters
    first: Floats
    second: Floats

    def interval(self, draws: Floats, level: float, estimate: float) -> Interval | None:
        """The percentile interval, widened for few clusters. It holds its estimate."""
        known = draws[np.isfinite(draws)]
        if not len(known):
            return None
        tail = expanded_tail((1 - level) / 2, self.clusters.least)
        low, high = np.quantile(known, [tail, 1 - tail])
        return min(float(low), estimate), max(float(high), estimate)


def quantile_difference(measure: Measure, first: RunRows, second: RunRows, *, same_texts: bool) -> Difference:
    """Of a percentile, over the succeeded requests whose metric is known."""
    places = first.known(measure.metric), second.known(measure.metric)
    values = first.metrics[measure.metric][places[0]], second.metrics[measure.metric][places[1]]
    known = [
        Known(len(item), quantile(np.sort(item), measure.share) if len(item) >= measure.least else None, None)
        for item in values
    ]
    if known[0].value is None or known[1].value is None:
        return Difference(known[0], known[1], None, needed=measure.least)
    found = clusters_of((first.prompts, second.prompts), places, values, same_texts=same_texts)

    def drawn(clusters: Clusters) -> _Drawn:
        of_first, of_second = _weights(clusters)
        return _Drawn(
            clusters,
            drawn_quantiles(Sample.of(values[0], clusters.first), of_first, measure.share),
            drawn_quantiles(Sample.of(values[1], clusters.second), of_second, measure.share),
        )

    return _widest(known[0], known[1], [drawn(item) if isinstance(item, Clusters) else item for item in found])


def cost_difference(measure: Measure, first: RunRows, second: RunRows, *, same_texts: bool) -> Difference:
    """Of the cost of 1,000 succeeded requests, as `Costs.per_succeeded_usd` defines it (times 1,000)."""
    runs = first, second
    places = first.priced, second.priced
    costs = first.cost_usd[places[0]] * 1_000, second.cost_usd[places[1]] * 1_000
    succeeded = [run.succeeded[place].astype(float) for run, place in zip(runs, places, strict=True)]
    known: list[Known] = []
    for cost, by in zip(costs, succeeded, strict=True):
        count = int(by.sum())
        known.append(Known(count, float(cost.sum()) / count if count >= measure.least else None, None))
    if known[0].value is None or known[1].value is None:
        return Difference(known[0], known[1], None, needed=measure.least)
    found = clusters_of((first.prompts, second.prompts), places, costs, same_texts=same_texts)

    def drawn(clusters: Clusters) -> _Drawn:
        sides = zip(
            costs,
            succeeded,
            (clusters.first, clusters.second),
            (clusters.count_first, clusters.count_second),
            _weights(clusters),
            strict=True,
        )
        draws = [
            drawn_ratios(_sums(owners, cost, count), _sums(owners, by, count), weight)
            for cost, by, owners, count, weight in sides
        ]
        return _Drawn(clusters, draws[0], draws[1])

    return _widest(known[0], known[1], [drawn(item) if isinstance(item, Clusters) else item for item in found])


def _sums(owners: Ints, values: Floats, clusters: int) -> Floats:
    return np.bincount(owners, weights=values, minlength=clusters).astype(np.float64)


def _weights(clusters: Clusters) -> tuple[Weights, Weights]:
    of_first = weights(clusters.count_first, 0)
    return of_first, of_first if clusters.joint else weights(clusters.count_second, 1)


def _widest(first: Known, second: Known, found: list[_Drawn | TooFew]) -> Difference:
    """The difference by the clusters that are least sure of it."""
    if first.value is None or second.value is None:
        raise ValueError("both runs must have the statistic")
    value = second.value - first.value
    ratio = second.value / first.value if first.value > 0 else None
    too_few = [item.needed for item in found if isinstance(item, TooFew)]
    if too_few:
        return Difference(first, second, value, ratio=ratio, needed=max(too_few))
    known = [item for item in found if isinstance(item, _Drawn)]
    widths = [np.ptp(item.interval(item.second - item.first, 0.95, value) or (0.0, np.inf)) for item in known]
    drawn = known[int(np.argmax(widths))]
    differences = drawn.second - drawn.first
    ratio_interval = None
    if ratio is not None and (drawn.first > 0).all():
        ratio_interval = drawn.interval(drawn.second / drawn.first, 0.95, ratio)
    return Difference(
        Known(first.n, first.value, drawn.interval(drawn.first, 0.95, first.value)),
        Known(second.n, second.value, drawn.interval(drawn.second, 0.95, second.value)),
        value,
        drawn.interval(differences, 0.95, value),
        drawn.interval(differences, 0.90, value),
        ratio,
        ratio_interval,
        drawn.clusters.basis,
    )
