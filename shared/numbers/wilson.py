"""Wilson's interval of a share, for searches, reports of attainment, and rules on error rates."""

import math

_Z95 = 1.959963984540054


def wilson_interval(successes: float, trials: float) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927), for independent trials. (0, 1) without any.

    Unlike the normal approximation it stays within 0 and 1, and is not empty if all trials succeed. Trials that depend
    on each other count as a smaller number of independent ones, which may be a fraction.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no share")
    if trials == 0:
        return 0.0, 1.0
    share, square = successes / trials, _Z95 * _Z95
    center = share + square / (2 * trials)
    half = _Z95 * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    scale = 1 + square / trials
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)
