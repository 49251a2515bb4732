"""What is compared of two runs: the registry of measures, and what is known of one. `comparison.py` goes through it."""

from dataclasses import dataclass
from typing import Literal

Statistic = Literal["p50", "p95", "p99", "mean", "share"]
Better = Literal["lower", "higher"]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measure:
    """A statistic of a metric. `least`: values that each run needs. `in_ms`: the margin in ms holds for it."""

    metric: str
    statistic: Statistic
    unit: str
    better: Better
    title: str
    least: int
    in_ms: bool = False

    @property
    def share(self) -> float:
        """The quantile, from 0 to 1."""
        return int(self.statistic[1:]) / 100


# Values from which on a percentile is compared. With fewer, order statistics cannot bound it on both sides, and the
# bootstrap would be too sure.
LEAST = {"p50": 6, "p95": 72, "p99": 1_000}
_QUANTILES: tuple[tuple[str, str, Better, str], ...] = (
    ("ttft_ms", "ms", "lower", "TTFT"),
    ("latency_ms", "ms", "lower", "latency"),
    ("tpot_ms", "ms/token", "lower", "TPOT"),
    ("tokens_per_second", "tokens/s", "higher", "tokens/s"),
)
PERCENTILES: tuple[Statistic, ...] = ("p50", "p95", "p99")
QUANTILES = tuple(
    Measure(
        metric,
        statistic,
        unit,
        better,
        f"{statistic.upper()} {title}",
        LEAST[statistic],
        metric in ("ttft_ms", "latency_ms"),
    )
    for metric, unit, better, title in _QUANTILES
    for statistic in PERCENTILES
)
COST = Measure("cost_usd_per_1000", "mean", "USD per 1,000 requests", "lower", "cost", 6)
ERRORS = Measure("error_rate", "share", "share", "lower", "error share", 1)
MEASURES = (*QUANTILES, COST, ERRORS)
METRICS = tuple(dict.fromkeys(measure.metric for measure in MEASURES))


@dataclass(frozen=True, slots=True)
class Margins:
    """Differences up to these do not matter. Of `percent` and `ms`, the larger one holds; `points`: of error shares."""

    percent: float = 5.0
    ms: float = 10.0
    points: float = 1.0

    def of(self, measure: Measure, reference: float) -> float:
        """In the measure's unit."""
        if measure is ERRORS:
            return self.points / 100
        relative = abs(reference) * self.percent / 100
        return max(relative, self.ms) if measure.in_ms else relative


@dataclass(frozen=True, slots=True)
class Known:
    """A statistic of one run. `value` None: it has too few values. `n`: values."""

    n: int
    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The other run less the reference, in the measure's unit, with its intervals. `ratio`: other by reference.

    Intervals are None if there are too few clusters; then `needed` says how many requests a run needs, about.
    """

    reference: Known
    other: Known
    value: float | None
    interval_95: Interval | None = None
    interval_90: Interval | None = None
    ratio: float | None = None
    ratio_interval: Interval | None = None
    basis: Literal["prompts", "time"] | None = None
    needed: int | None = None
