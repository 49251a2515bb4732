"""Widens the percentile intervals of a bootstrap of few clusters. `pair.py` uses it."""

import math
from statistics import NormalDist

from shared.numbers.student import t_quantile

_NORMAL = NormalDist()
# Intervals are a little wider than the theory asks for. Without this, single kinds of data are called different in more
# than 6 % of the tries of `make bench-aa` where nothing differs.
_CAUTION = 1.05


def expanded_tail(tail: float, clusters: int) -> float:
    """The share of draws beyond each end of a percentile interval, if `tail` is wanted from so many clusters.

    A bootstrap of few clusters is too narrow: the draws spread by sqrt((n - 1) / n) too little, and their spread is
    itself uncertain, as Student's t has it (Hesterberg 2015, "expanded percentile interval").
    """
    widened = _CAUTION * math.sqrt(clusters / (clusters - 1))
    return _NORMAL.cdf(-widened * t_quantile(1 - tail, clusters - 1))
