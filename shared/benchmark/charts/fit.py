"""A straight line through times by numbers of tokens, with intervals that hold if requests of one prompt are alike."""

import math
from typing import Any

import numpy as np

from shared.benchmark.charts.columns import Floats, Integers
from shared.numbers.student import t_quantile

# An interval needs this many prompts.
MIN_PROMPTS = 10
# Points of the drawn line with its interval.
POINTS = 25


def fit(tokens: Floats, times_ms: Floats, prompts: Integers) -> dict[str, Any] | None:
    """Least squares of `times_ms` by `tokens`, over the requests that have both. None without two numbers of tokens.

    The intervals (95 %) are from the jackknife over prompts: each prompt is left out once. They are None below
    `MIN_PROMPTS` prompts, or if all but one prompt have the same number of tokens.
    """
    known = ~(np.isnan(tokens) | np.isnan(times_ms))
    x, y, owners = tokens[known], times_ms[known], prompts[known]
    if len(x) < 3 or x.min() == x.max():
        return None
    # About their centres, so that the sums below lose no digits.
    centre, level = float(x.mean()), float(y.mean())
    slope, shift = _line(_sums(x - centre, y - level))
    rest = (y - level) - shift - slope * (x - centre)
    spread = float(np.square(y - level).sum())
    at = np.linspace(x.min(), x.max(), POINTS)
    line = level + shift + slope * (at - centre)
    places = np.unique(owners, return_inverse=True)[1]
    margin, slope_margin = _margins(x - centre, y - level, places, at - centre, (float(slope), float(shift)))
    return {
        "slope": float(slope),
        "intercept": float(level + shift - slope * centre),
        "slope_interval": None if slope_margin is None else [float(slope - slope_margin), float(slope + slope_margin)],
        "explained": 1 - float(np.square(rest).sum()) / spread if spread else None,
        "n": len(x),
        "prompts": int(places.max()) + 1,
        "line": {
            "tokens": np.round(at, 3).tolist(),
            "ms": np.round(line, 3).tolist(),
            "low_ms": None if margin is None else np.round(line - margin, 3).tolist(),
            "high_ms": None if margin is None else np.round(line + margin, 3).tolist(),
        },
    }


def _sums(x: Floats, y: Floats) -> Floats:
    """(n, Σx, Σy, Σx², Σxy)."""
    return np.array([len(x), x.sum(), y.sum(), np.square(x).sum(), (x * y).sum()])


def _line(sums: Floats) -> tuple[Floats, Floats]:
    """(slope, intercept) from `_sums`, whose last axis has the five sums. Not all x are equal."""
    n, sx, sy, _, sxy = np.moveaxis(sums, -1, 0)
    slope = (n * sxy - sx * sy) / _spread(sums)
    return slope, (sy - slope * sx) / n


def _spread(sums: Floats) -> Floats:
    """n times the sum of squares about the mean of x: 0 if all x are equal."""
    n, sx, _, sxx, _ = np.moveaxis(sums, -1, 0)
    return np.asarray(n * sxx - sx * sx)


def _margins(
    x: Floats, y: Floats, places: Integers, at: Floats, line: tuple[float, float]
) -> tuple[Floats | None, float | None]:
    """Half the width of the line's interval at `at`, and of the slope's. `places`: prompts, numbered from 0."""
    count = int(places.max()) + 1
    if count < MIN_PROMPTS:
        return None, None
    parts = np.stack(
        [np.bincount(places, weights, count) for weights in (np.ones_like(x), x, y, np.square(x), x * y)], axis=-1
    )
    total = parts.sum(axis=0)
    left_out = total - parts
    if (_spread(left_out) <= 1e-9 * _spread(total)).any():
        return None, None
    slopes, shifts = _line(left_out)
    off_slope, off_shift = slopes - line[0], shifts - line[1]
    scale = (count - 1) / count
    of_shift, of_both, of_slope = (
        scale * float((one * other).sum())
        for one, other in ((off_shift, off_shift), (off_shift, off_slope), (off_slope, off_slope))
    )
    at_points = of_shift + 2 * of_both * at + of_slope * np.square(at)
    t95 = t_quantile(0.975, count - 2)
    return np.asarray(t95 * np.sqrt(np.maximum(at_points, 0))), t95 * math.sqrt(of_slope)
