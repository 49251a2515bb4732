"""Quantiles of Student's t, for intervals from few values or few groups. Comparisons, fits and rules on CI runs ask."""

import math
from functools import lru_cache
from statistics import NormalDist

_NORMAL = NormalDist()
# Beyond, the series is exact to six digits.
_EXACT_UP_TO = 30


@lru_cache(maxsize=1_024)
def t_quantile(share: float, degrees: int) -> float:
    """Below it is this share (0.975 for a two-sided 95 %). Raises ValueError without a degree of freedom."""
    if degrees < 1:
        raise ValueError(f"{degrees} degrees of freedom")
    if not 0 < share < 1:
        raise ValueError(f"{share} is no share between 0 and 1")
    if share < 0.5:
        return -t_quantile(1 - share, degrees)
    if degrees > _EXACT_UP_TO:
        return _series(share, degrees)
    low, high = 0.0, 1.0
    while _share_below(high, degrees) < share:
        high *= 2
    while (middle := (low + high) / 2) not in (low, high):
        if _share_below(middle, degrees) < share:
            low = middle
        else:
            high = middle
    return high


def _series(share: float, degrees: int) -> float:
    """Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5)."""
    z = _NORMAL.inv_cdf(share)
    return (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
    )


def _share_below(t: float, degrees: int) -> float:
    """The distribution function, as a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4). `t`: at least 0."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    odd = degrees % 2
    term = total = math.cos(angle) if odd else 1.0
    if degrees == 1:
        total = 0.0
    for number in range(2 + odd, degrees - 1, 2):
        term *= cosine**2 * (number - 1) / number
        total += term
    within = 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
    return (1 + within) / 2
