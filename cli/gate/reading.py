"""What a benchmark's summary says about one measure: the number, its interval, or why there is none."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.gate.measure import ATTAINMENT, COST_PER_1000, ERROR_RATE, GOODPUT, GRADE, TOTAL_COST, Measure
from cli.gate.share import Group, share_interval
from cli.render.distributions import INTERVALS, NEEDED
from shared.benchmark.results.cost_reading import cost_of_request, total_cost
from shared.benchmark.results.outcome import FAILURES
from shared.numbers.student import t_quantile

Summary = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` None: there is none, and `reason` says why.

    `interval`: its 95 % interval. If it is None, `reason` says why; `by_number`: there never is one for this number, so
    that it is judged alone. `n`: how many requests it is about. `left_out`: what the number does not contain because it
    is unknown, in words; empty: nothing.
    """

    value: float | str | None
    n: int | None = None
    interval: tuple[float, float] | None = None
    by_number: bool = False
    reason: str = ""
    left_out: str = ""


def read(
    measure: Measure,
    statistic: str | None,
    summary: Summary | None,
    groups: Callable[[], Sequence[Group]] = tuple,
    goods: Callable[[], Sequence[Group]] = tuple,
) -> Reading:
    """The reading of a measure. Of each prompt, `groups` are failed and attempted requests, `goods` those that met the
    SLOs and attempted ones. They are asked for only if needed."""
    if summary is None:
        return Reading(None, reason="the benchmark has no summary")
    if statistic is not None:
        return _of_distribution(summary.get(measure.name), statistic)
    if measure == ERROR_RATE:
        return _error_rate(summary, groups)
    if measure == ATTAINMENT:
        return _attainment(summary, goods)
    if measure == GRADE:
        grade = (summary.get("measurement") or {}).get("grade")
        return Reading(grade, by_number=True, reason="" if grade else "nothing was measured")
    return _alone(measure, summary)


def _of_distribution(spread: Summary | None, statistic: str) -> Reading:
    if not spread or not spread["count"]:
        return Reading(None, 0, reason="no succeeded request has this number")
    n, value = spread["count"], spread.get(statistic)
    if value is None:
        needed = NEEDED.get(statistic, 2)
        return Reading(None, n, reason=f"{statistic} needs {needed} values, and there are {n:,}")
    basis = spread.get("interval_basis")
    ends = spread.get(f"{statistic}_ci95") if statistic in INTERVALS else None
    if ends is not None:
        return Reading(value, n, (ends[0], ends[1]))
    if statistic in INTERVALS and basis is not None:
        what = "different prompts" if basis == "prompts" else "requests"
        return Reading(value, n, reason=f"an interval of {statistic} needs {INTERVALS[statistic]} {what}")
    if statistic == "mean" and basis == "requests" and n > 1:
        half = t_quantile(0.975, n - 1) * spread["stdev"] / math.sqrt(n)
        return Reading(value, n, (value - half, value + half))
    why = f"{statistic} has no interval"
    if statistic in INTERVALS or statistic == "mean":
        why += ", because its values depend on each other"
    return Reading(value, n, by_number=True, reason=why)


def _error_rate(summary: Summary, groups: Callable[[], Sequence[Group]]) -> Reading:
    requests = summary["requests"]
    failed = sum(requests.get(name, 0) for name in FAILURES)
    attempted = failed + requests["succeeded"]
    if not attempted:
        return Reading(None, 0, reason="no request was attempted")
    return _share(failed, attempted, summary, groups)


def _share(hits: int, attempted: int, summary: Summary, groups: Callable[[], Sequence[Group]]) -> Reading:
    """Requests of one prompt may depend on each other."""
    repeated = (summary.get("ttft_ms") or {}).get("interval_basis") != "requests"
    shares = groups() if repeated and 0 < hits < attempted else ()
    return Reading(hits / attempted, attempted, share_interval(hits, attempted, shares))


def _attainment(summary: Summary, goods: Callable[[], Sequence[Group]]) -> Reading:
    slo = summary.get("slo")
    if slo is None:
        return Reading(None, reason="the benchmark has no SLOs")
    if not slo["attempted"]:
        return Reading(None, 0, reason="no request was attempted")
    return _share(slo["met"], slo["attempted"], summary, goods)


def _alone(measure: Measure, summary: Summary) -> Reading:
    """Single numbers without an interval."""
    if measure == COST_PER_1000:
        each = cost_of_request(summary)
        why = "no cost is known" if total_cost(summary).usd is None else "no request that succeeded has a known cost"
        return _number(None if each.usd is None else each.usd * 1_000, each.count, why, each.left_out)
    if measure == TOTAL_COST:
        total = total_cost(summary)
        return _number(total.usd, total.count, "no cost is known", total.left_out)
    n = summary["requests"]["succeeded"]
    if measure == GOODPUT:
        slo = summary.get("slo")
        return _number(None if slo is None else slo["goodput"], n, "the benchmark has no SLOs")
    return _number(summary.get(measure.name), n, "it is not known")


def _number(value: float | None, n: int | None, unknown: str, left_out: str = "") -> Reading:
    if value is None:
        return Reading(None, n, reason=unknown)
    return Reading(value, n, by_number=True, reason="it has no interval", left_out=left_out)
