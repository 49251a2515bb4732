"""Lengths of steps and bins that people read easily."""

import math

_NICE_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600)
DAY_S = 86_400


def nice(least: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is not below `least`, which is positive."""
    power = 10.0 ** math.floor(math.log10(least))
    for factor in (1, 2, 5):
        if least <= factor * power * (1 + 1e-9):
            return factor * power
    return 10 * power


def nice_seconds(least: float) -> float:
    """The smallest length of time that clocks and people count in and that is not below `least` seconds."""
    for seconds in _NICE_S:
        if least <= seconds * (1 + 1e-9):
            return float(seconds)
    return float(DAY_S * max(1, math.ceil(least / DAY_S - 1e-9)))
