"""Whether one result meets the SLOs of its benchmark. `SloCounts` counts what this says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
    if result.outcome in UNATTEMPTED:
        return None
    bounds = slos.bounds
    if result.outcome != "succeeded":
        return SloVerdict("missed", broken=tuple(bounds))
    broken, unknown = [], []
    for name, bound in bounds.items():
        value = _value(result, name)
        if value is None:
            unknown.append(name)
        elif value < bound if name == MINIMUM else value > bound:
            broken.append(name)
    outcome: SloOutcome = "missed" if broken else "undetermined" if unknown else "met"
    return SloVerdict(outcome, tuple(broken), tuple(unknown))


def _value(result: Observed, name: str) -> float | None:
    metrics: Mapping[str, float | None] = result.metrics
    if name != "effective_latency_ms":
        return metrics[name]
    latency_ms = metrics["latency_ms"]
    return None if latency_ms is None else result.queue_ms + latency_ms
