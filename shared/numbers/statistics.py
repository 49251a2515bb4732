"""Distributions as docs/metrics.md defines them: type-7 percentiles, None if there are too few values for one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.numbers.intervals import interval
from shared.numbers.percentiles import MIN_COUNT, WITH_INTERVAL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def distribution(values: Sequence[float]) -> dict[str, Any]:
    """`{count, min, max, mean, stdev, p50, p90, p95, p99, p50_ci95, …}` of the values, in their unit.

    `stdev` is the sample's (n - 1). A `_ci95` is `[low, high]`, a distribution-free 95 % confidence
    interval from order statistics, for independent values; None if the sample is too small to bound both sides.
    """
    import numpy as np  # here, because it takes 0.1 s: the API and the CLI start without it

    data = np.sort(np.asarray(values, dtype=float))
    count = len(data)
    result: dict[str, Any] = {
        "count": count,
        "min": float(data[0]) if count else None,
        "max": float(data[-1]) if count else None,
        "mean": float(data.mean()) if count else None,
        "stdev": float(data.std(ddof=1)) if count > 1 else None,
    }
    for percent, needed in MIN_COUNT.items():
        result[f"p{percent}"] = float(np.percentile(data, percent)) if count >= needed else None
    for percent in WITH_INTERVAL:
        result[f"p{percent}_ci95"] = interval(data, percent) if count >= MIN_COUNT[percent] else None
    return result


def percentile(values: Sequence[float], percent: float) -> float:
    """One percentile of at least one value, type 7."""
    return percentiles(values, [percent])[0]


def percentiles(values: "Sequence[float] | NDArray[np.float64]", percents: Sequence[float]) -> list[float]:
    """Several percentiles of at least one value, type 7. Takes half of the time of as many single ones."""
    import numpy as np

    found: list[float] = np.percentile(values, percents).tolist()
    return found
