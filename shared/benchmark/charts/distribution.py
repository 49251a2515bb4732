"""The distribution of a metric in few numbers: quantiles and the raw tail for an ECDF, and two histograms."""

import math
from typing import Any

import numpy as np

from shared.benchmark.charts.columns import Floats, listed
from shared.benchmark.charts.steps import nice

# Up to this many values are all there. Of more, there are as many quantiles.
QUANTILES = 512
# The most values above the last quantile.
TAIL = 100
MOST_BINS = 60
# Bins of a decade of a logarithmic histogram at most: each is then 1.4 % wide.
_MOST_A_DECADE = 160


def distribution(values: Floats) -> dict[str, Any]:
    """Of the known values. The k-th of 512 quantiles, from 0, is that of the share (k + 0.5) / 512 (type 7).

    `tail`: the highest values as they are, if they are above the last quantile; the last of them is the maximum.
    """
    ordered = np.sort(values[~np.isnan(values)])
    quantiles, tail = ordered, ordered[:0]
    if len(ordered) > QUANTILES:
        quantiles = np.quantile(ordered, (np.arange(QUANTILES) + 0.5) / QUANTILES)
        tail = ordered[np.searchsorted(ordered, quantiles[-1], side="right") :][-TAIL:]
    return {
        "count": len(ordered),
        "quantiles": listed(quantiles),
        "tail": listed(tail),
        "histogram": _histogram(ordered, _linear_edges(ordered)),
        "log_histogram": _histogram(ordered, _log_edges(ordered[ordered > 0])),
    }


def _histogram(ordered: Floats, edges: Floats) -> dict[str, Any]:
    """`counts` has one number less than `edges`. A bin holds its lower edge, and the last one both."""
    counts, _ = np.histogram(ordered, edges) if len(edges) else (np.zeros(0, dtype=np.int64), edges)
    return {"edges": [float(f"{edge:.9g}") for edge in edges.tolist()], "counts": counts.tolist()}


def _linear_edges(ordered: Floats) -> Floats:
    """Bins of an easy width: that of Freedman and Diaconis, or a smaller one so that two humps are seen as two."""
    if not len(ordered):
        return ordered
    least, most = float(ordered[0]), float(ordered[-1])
    if most - least < 1e-9 * max(1.0, abs(most)):
        width = nice(max(abs(most) / 100, 1e-3))
        return np.array([most - width / 2, most + width / 2])
    low, high = np.quantile(ordered, (0.25, 0.75))
    few = min(30.0, max(math.log2(len(ordered)) + 1, math.sqrt(len(ordered)) / 1.5))
    rule = min(2 * float(high - low) / len(ordered) ** (1 / 3), (most - least) / few)
    # One less, because the first and the last bin may be cut.
    step = nice(max(rule, (most - least) / (MOST_BINS - 1)))
    first, last = math.floor(least / step + 1e-9), math.ceil(most / step - 1e-9)
    return np.asarray(np.arange(first, max(last, first + 1) + 1) * step, dtype=np.float64)


def _log_edges(ordered: Floats) -> Floats:
    """Bins of an equal ratio, so that edges fall on powers of ten. Empty without positive values."""
    if not len(ordered):
        return ordered
    low, high = math.log10(ordered[0]), math.log10(ordered[-1])
    wanted = min(MOST_BINS, max(8, math.ceil(2 * len(ordered) ** (1 / 3))))
    a_decade = min(_MOST_A_DECADE, max(1, math.floor((wanted - 1) / max(high - low, 1e-9))))
    first, last = math.floor(low * a_decade + 1e-9), math.ceil(high * a_decade - 1e-9)
    return np.asarray(10.0 ** (np.arange(first, max(last, first + 1) + 1) / a_decade))
