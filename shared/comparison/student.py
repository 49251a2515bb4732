"""Student's t without a table, for intervals of few clusters. `pair.py` and `shares.py` use it."""

import math
from statistics import NormalDist

_NORMAL = NormalDist()
# Intervals are a little wider than the theory asks for. Without this, single kinds of data are called different in more
# than 6 % of the tries of `make bench-aa` where nothing differs.
_CAUTION = 1.05


def t_quantile(share: float, freedom: int) -> float:
    """The quantile of Student's t (Cornish and Fisher's expansion: within 1 % from 4 degrees of freedom on)."""
    z = _NORMAL.inv_cdf(share)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def expanded_tail(tail: float, clusters: int) -> float:
    """The share of draws beyond each end of a percentile interval, if `tail` is wanted from so many clusters.

    A bootstrap of few clusters is too narrow: the draws spread by sqrt((n - 1) / n) too little, and their spread is
    itself uncertain, as Student's t has it (Hesterberg 2015, "expanded percentile interval").
    """
    widened = _CAUTION * math.sqrt(clusters / (clusters - 1))
    return _NORMAL.cdf(-widened * t_quantile(1 - tail, clusters - 1))
