"""Whether one result meets the SLOs of its benchmark. `SloCounts` counts what this says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.benchmark.results.observed import Observed
from shared.benchmark.results.outcome import UNATTEMPTED
from shared.benchmark.slo.slo_spec import MINIMUM, SloSpec

SloOutcome = Literal["met", "missed", "undetermined"]


@dataclass(frozen=True, slots=True)
class SloVerdict:
    """`broken`: SLOs that the request missed for certain; `unknown`: SLOs whose metric it lacks."""

    outcome: SloOutcome
    broken: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def judge(result: Observed, slos: SloSpec) -> SloVerdict | None:
    """What a measured result is for the SLOs. None if it was no attempt: cancelled, cut off at the end, or not sent.

    A failed request misses all SLOs. A request that lacks a metric is not good: it is `missed` if another SLO is
    broken, else `undetermined`.
    """
    return judge_values(result.outcome, result.metrics, result.queue_ms, slos.bounds)


def judge_values(
    outcome: str, metrics: Mapping[str, Any], queue_ms: float, bounds: Mapping[str, float]
) -> SloVerdict | None:
    """The same of a result in any form. `metrics` may have more than metrics."""
    if outcome in UNATTEMPTED:
        return None
    if outcome != "succeeded":
        return SloVerdict("missed", broken=tuple(bounds))
    broken, unknown = [], []
    for name, bound in bounds.items():
        value = _value(metrics, queue_ms, name)
        if value is None:
            unknown.append(name)
        elif value < bound if name == MINIMUM else value > bound:
            broken.append(name)
    found: SloOutcome = "missed" if broken else "undetermined" if unknown else "met"
    return SloVerdict(found, tuple(broken), tuple(unknown))


def _value(metrics: Mapping[str, Any], queue_ms: float, name: str) -> float | None:
    if name != "effective_latency_ms":
        value: float | None = metrics[name]
        return value
    latency_ms = metrics["latency_ms"]
    return None if latency_ms is None else queue_ms + latency_ms
