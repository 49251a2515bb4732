"""The numbers of a run that histories and leaderboards show, read from its stored summary."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.benchmark.results.cost_reading import cost_of_request
from shared.benchmark.results.costs import PER_SUCCEEDED
from shared.benchmark.results.outcome import FAILURES
from shared.numbers.wilson import wilson_interval

Better = Literal["lower", "higher"]
Interval = tuple[float, float]

# A difference up to this does not matter. Of the first two, the larger one holds.
MARGIN_SHARE = 0.05
MARGIN_MS = 10.0
# For error shares, which may be 0.
MARGIN_POINTS = 0.01
# The parts of a summary that are read.
PARTS = ("ttft_ms", "latency_ms", "tokens_per_second", "output_token_throughput", "requests", "cost")


@dataclass(frozen=True, slots=True)
class Reading:
    """A number of one run with its 95 % interval; None if it is unknown. `count`: values that it is made of.

    `left_out`: what it does not contain because it is unknown, in words; empty: nothing.
    """

    value: float | None
    interval: Interval | None = None
    count: int | None = None
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class HistoryMetric:
    """`part` and `field`: where it is in the summary. `least`: values from which on it has an interval; 0: never."""

    name: str
    title: str
    unit: str
    better: Better
    part: str
    field: str
    definition: str
    least: int = 0

    def read(self, summary: Mapping[str, Any]) -> Reading:
        """From a summary or its PARTS."""
        part = summary.get(self.part)
        if part is None:
            return Reading(None)
        if self.field == "failed":
            return _failed(part)
        if self.field == "per_succeeded_usd":
            cost = cost_of_request({"requests": {}, **summary})
            return Reading(cost.usd, None, cost.count, cost.left_out)
        if not isinstance(part, Mapping):
            return Reading(part)
        interval = part.get(f"{self.field}_ci95")
        value, count = part.get(self.field), part.get("count")
        return Reading(value, None if interval is None else (interval[0], interval[1]), count)

    def margin(self, reference: float) -> float:
        """The difference from `reference` up to which nothing counts as changed, in the metric's unit."""
        if self.field == "failed":
            return MARGIN_POINTS
        relative = abs(reference) * MARGIN_SHARE
        return max(relative, MARGIN_MS) if self.unit == "ms" else relative


def _failed(requests: Mapping[str, int | None]) -> Reading:
    failed = sum(requests.get(outcome) or 0 for outcome in FAILURES)
    judged = failed + (requests.get("succeeded") or 0)
    if not judged:
        return Reading(None)
    return Reading(failed / judged, wilson_interval(failed, judged), judged)


_TTFT = "time to first token"
_LATENCY = "time to the last event with content"
METRICS = {
    metric.name: metric
    for metric in (
        HistoryMetric("ttft_p50_ms", "TTFT P50", "ms", "lower", "ttft_ms", "p50", f"Median {_TTFT}", 6),
        HistoryMetric(
            "ttft_p95_ms", "TTFT P95", "ms", "lower", "ttft_ms", "p95", f"95th percentile of the {_TTFT}", 72
        ),
        HistoryMetric("latency_p50_ms", "Latency P50", "ms", "lower", "latency_ms", "p50", f"Median {_LATENCY}", 6),
        HistoryMetric(
            "latency_p95_ms",
            "Latency P95",
            "ms",
            "lower",
            "latency_ms",
            "p95",
            f"95th percentile of the {_LATENCY}",
            72,
        ),
        HistoryMetric(
            "tokens_per_second_p50",
            "Tokens/s of a request",
            "tokens/s",
            "higher",
            "tokens_per_second",
            "p50",
            "Median generation speed of a request after its first token",
            6,
        ),
        HistoryMetric(
            "output_token_throughput",
            "Tokens/s",
            "tokens/s",
            "higher",
            "output_token_throughput",
            "value",
            "Output tokens of all requests by the duration of the run",
        ),
        HistoryMetric(
            "cost_per_request_usd",
            "Cost",
            "USD",
            "lower",
            "cost",
            "per_succeeded_usd",
            PER_SUCCEEDED,
        ),
        HistoryMetric(
            "error_share",
            "Errors",
            "share",
            "lower",
            "requests",
            "failed",
            "Failed requests by those that failed or succeeded, 0 to 1",
            1,
        ),
    )
}
