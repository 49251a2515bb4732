"""What a difference means: a verdict, by an interval and a margin that was fixed beforehand. `comparison.py` asks."""

import math
from typing import Literal, get_args

from shared.comparison.measure import Difference

Verdict = Literal["different", "too_small_to_matter", "practically_equal", "too_early", "withheld"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def verdict_of(difference: Difference, margin: float) -> Verdict:
    """`different`: the 95 % interval excludes 0 and the difference exceeds the margin.

    `too_small_to_matter`: it excludes 0, but the difference does not exceed the margin. `practically_equal`: the 90 %
    interval is within the margin. Else `too_early`.
    """
    value, interval_95, interval_90 = difference.value, difference.interval_95, difference.interval_90
    if value is None or interval_95 is None or interval_90 is None:
        return "too_early"
    if interval_95[0] > 0 or interval_95[1] < 0:
        return "different" if abs(value) > margin else "too_small_to_matter"
    if -margin <= interval_90[0] and interval_90[1] <= margin:
        return "practically_equal"
    return "too_early"


def more_requests(difference: Difference, margin: float) -> int | None:
    """How many more requests each run needs for a verdict, about, if the difference stays. None: nobody can say.

    An interval shrinks with the square root of the number of requests.
    """
    least = min(difference.reference.n, difference.other.n)
    if difference.needed is not None:
        return _rounded(max(1, difference.needed - least))
    value, interval_95, interval_90 = difference.value, difference.interval_95, difference.interval_90
    if value is None or interval_95 is None or interval_90 is None or not least:
        return None
    factors: list[float] = []
    # The ends on the side that decides: the one towards 0, and the one towards the margin.
    if value:
        towards_zero = value - interval_95[0] if value > 0 else interval_95[1] - value
        factors.append((towards_zero / abs(value)) ** 2)
    if abs(value) < margin:
        factors.append(
            max((value - interval_90[0]) / (margin + value), (interval_90[1] - value) / (margin - value)) ** 2
        )
    if not factors:
        return None
    return _rounded(max(1, math.ceil(least * (min(factors) - 1))))


def _rounded(count: int) -> int:
    """Up, to two significant digits: more would claim to be exact."""
    if count < 100:
        return count
    unit: int = 10 ** (len(str(count)) - 2)
    return math.ceil(count / unit) * unit
