"""The knee of a load curve: the load from which on throughput hardly rises any more. `curve.py` asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass

MIN_POINTS = 5
# Behind the knee, throughput rises by at most this share of what it rises by before.
MAX_TAIL_SLOPE = 0.25
# Two segments must fit at least so much better than one line: the share by which they reduce the squared error.
MIN_ERROR_REDUCTION = 0.5
# At the knee, throughput is at least this share of the highest that was measured.
MIN_PEAK_SHARE = 0.85


@dataclass(frozen=True, slots=True)
class Knee:
    """`throughput` is that of the fit at the knee. Slopes are throughput for each unit of load."""

    load: float
    throughput: float
    rise: float
    tail: float
    error_reduction: float
    peak_share: float


def find_knee(loads: Sequence[float], throughputs: Sequence[float]) -> tuple[Knee | None, str]:
    """The knee and why there is one, or None and why there is none. `loads` rise.

    Two lines that meet at the knee are fitted by least squares (Hudson 1966: the best breakpoint is a measured load, or
    where the lines of both sides cross between two of them). Loads count as they are, not their logarithms: below
    saturation, throughput is proportional to the load.
    """
    if len(loads) < MIN_POINTS:
        return None, f"a knee needs at least {MIN_POINTS} different loads, these are {len(loads)}"
    line = _line_error(loads, throughputs)
    peak = max(throughputs)
    if peak <= 0:
        return None, "nothing succeeded"
    if line <= (1e-6 * peak) ** 2 * len(loads):
        return None, "throughput rises along one line: more load may bring more"
    fits = [fit for load in _breakpoints(loads, throughputs) if (fit := _fit(loads, throughputs, load)) is not None]
    if not fits:
        return None, "no two lines fit"
    error, load, level, rise, tail = min(fits)
    knee = Knee(load, level, rise, tail, 1 - error / line, min(level / peak, 1.0))
    objection = _objection(knee)
    if objection is not None:
        return None, objection
    return knee, "throughput rises to the knee and hardly any more behind it"


def _objection(knee: Knee) -> str | None:
    if knee.rise <= 0:
        return "throughput does not rise with the load"
    if knee.tail > MAX_TAIL_SLOPE * knee.rise:
        return (
            f"behind the best breakpoint, throughput still rises at {knee.tail / knee.rise:.0%} of its slope before: "
            "measure higher loads"
        )
    if knee.error_reduction < MIN_ERROR_REDUCTION:
        return f"two lines reduce the squared error by {knee.error_reduction:.0%} only: one fits almost as well"
    if knee.peak_share < MIN_PEAK_SHARE:
        return f"at the best breakpoint, throughput is only {knee.peak_share:.0%} of the highest"
    return None


def _breakpoints(loads: Sequence[float], throughputs: Sequence[float]) -> list[float]:
    """Loads at which two lines may meet best. Each side has at least two points."""
    found = list(loads[1:-1])
    for split in range(2, len(loads) - 1):
        left, right = _line(loads[:split], throughputs[:split]), _line(loads[split:], throughputs[split:])
        if left[1] != right[1]:
            crossing = (right[0] - left[0]) / (left[1] - right[1])
            if loads[split - 1] < crossing < loads[split]:
                found.append(crossing)
    return found


def _line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """Value at 0, and slope."""
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - x_mean) ** 2 for x in xs)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0
    return y_mean - slope * x_mean, slope


def _line_error(xs: Sequence[float], ys: Sequence[float]) -> float:
    start, slope = _line(xs, ys)
    return sum((y - start - slope * x) ** 2 for x, y in zip(xs, ys, strict=True))


def _fit(xs: Sequence[float], ys: Sequence[float], at: float) -> tuple[float, float, float, float, float] | None:
    """The best two lines that meet at this load: squared error, load, level there, slope before, slope behind."""
    below = [min(x - at, 0.0) for x in xs]
    above = [max(x - at, 0.0) for x in xs]
    # Normal equations of y = level + rise * below + tail * above; below * above is 0 everywhere.
    count, low, high = len(xs), sum(below), sum(above)
    low2, high2 = sum(x * x for x in below), sum(x * x for x in above)
    y_sum = sum(ys)
    low_y = sum(x * y for x, y in zip(below, ys, strict=True))
    high_y = sum(x * y for x, y in zip(above, ys, strict=True))
    if not low2 or not high2:
        return None
    divisor = count - low * low / low2 - high * high / high2
    if divisor <= 1e-12 * count:
        return None
    level = (y_sum - low * low_y / low2 - high * high_y / high2) / divisor
    rise, tail = (low_y - level * low) / low2, (high_y - level * high) / high2
    error = sum(
        (y - level - rise * low_x - tail * high_x) ** 2 for y, low_x, high_x in zip(ys, below, above, strict=True)
    )
    return error, at, level, rise, tail
