"""One point of a load curve, from the summaries of the stages that measured its load."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import JsonValue

from shared.benchmark.results.attainment import Attainment, pooled
from shared.benchmark.results.outcome import FAILURES
from shared.benchmark.search.probe import WHOLE, Control
from shared.numbers.student import t_quantile

_Z95 = 1.96
_NOTHING = {"value": 0.0, "ci95": None, "ci95_from": None}

IntervalFrom = Literal["repeats", "latency", "count"]


@dataclass(frozen=True, slots=True)
class CurveStage:
    """A stage that has ended, with the summary of its measured requests."""

    number: int
    label: Mapping[str, JsonValue]
    ended_by: str | None
    summary: Mapping[str, Any]


def is_open(stage: CurveStage) -> bool:
    """Whether its requests were due at times of their own."""
    return stage.summary.get("request_rate") is not None


def load_of_stage(stage: CurveStage, control: Control) -> float | None:
    """The concurrency or rate that the stage asked for. None: it has none."""
    if control == "concurrency" and is_open(stage):
        # What its summary calls the requested concurrency is only a bound.
        return None
    asked = stage.label.get(control)
    if asked is None:
        asked = (stage.summary.get(control) or {}).get("requested")
    return float(asked) if isinstance(asked, int | float) else None


def point_of(
    load: float, stages: Sequence[CurveStage], percentiles: Sequence[int], metrics: Sequence[str]
) -> dict[str, Any]:
    """What these stages have shown of their load. Those that were broken off count only if there are no others."""
    whole = [stage for stage in stages if stage.ended_by in WHOLE]
    counted = [stage.summary for stage in whole or stages]
    return {
        "load": load,
        "stages": [stage.number for stage in stages],
        "broken_off": not whole,
        "succeeded": sum(summary["requests"]["succeeded"] for summary in counted),
        "failed": sum(summary["requests"].get(name, 0) for summary in counted for name in FAILURES),
        "request_throughput": _throughput(counted, "request_throughput") or _NOTHING,
        "output_token_throughput": _throughput(counted, "output_token_throughput"),
        **{name: _latency(counted, name, percentiles) for name in metrics},
        "attainment": _attainment(counted),
        "goodput": _goodput(counted),
    }


def _throughput(summaries: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any] | None:
    """In the steady window, or if there is none over the whole stage.

    Its interval comes from repeats: Student's t. With one stage, in a closed loop, from its latencies: by Little's law
    the throughput is the concurrency divided by the mean latency, which has a relative standard error of stdev / mean /
    sqrt(n). In an open loop from the count, as if requests ended independently: 1 / sqrt(n).
    """
    values = [_rate(summary, name) for summary in summaries]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    if len(known) > 1:
        mean, interval = _of_repeats(known)
        return {"value": mean, "ci95": interval, "ci95_from": "repeats"}
    (value,), (summary,) = known, summaries
    source, error = _relative_error(summary)
    if error is None:
        return {"value": value, "ci95": None, "ci95_from": None}
    half = _Z95 * error
    return {"value": value, "ci95": [max(0.0, value * (1 - half)), value * (1 + half)], "ci95_from": source}


def _rate(summary: Mapping[str, Any], name: str) -> float | None:
    window = summary.get("steady_window")
    value = (window or {}).get(name)
    return summary.get(name) if value is None else value


def _relative_error(summary: Mapping[str, Any]) -> tuple[IntervalFrom, float | None]:
    latency = summary["latency_ms"]
    count = latency["count"]
    if summary.get("request_rate") is not None:
        succeeded = summary["requests"]["succeeded"]
        return "count", 1 / math.sqrt(succeeded) if succeeded else None
    if count < 2 or not latency["mean"]:
        return "latency", None
    return "latency", latency["stdev"] / latency["mean"] / math.sqrt(count)


def _latency(summaries: Sequence[Mapping[str, Any]], name: str, percentiles: Sequence[int]) -> dict[str, Any] | None:
    """Percentiles with their intervals; with repeats, the means of the percentiles."""
    found = [summary.get(name) for summary in summaries]
    known = [item for item in found if item is not None]
    if not known or len(known) < len(found):
        return None
    values: dict[str, Any] = {}
    for percent in percentiles:
        of_stages = [item.get(f"p{percent}") for item in known]
        if any(value is None for value in of_stages):
            mean, interval = None, None
        elif len(of_stages) > 1:
            mean, interval = _of_repeats([float(value) for value in of_stages])
        else:
            mean, interval = of_stages[0], known[0].get(f"p{percent}_ci95")
        values |= {f"p{percent}": mean, f"p{percent}_ci95": interval}
    return values


def _of_repeats(values: Sequence[float]) -> tuple[float, list[float]]:
    """Mean and its interval."""
    count = len(values)
    mean = sum(values) / count
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    half = t_quantile(0.975, count - 1) * deviation / math.sqrt(count)
    return mean, [max(0.0, mean - half), mean + half]


def _attainment(summaries: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Of all requests of the point together; None without SLOs."""
    found = [summary.get("slo") for summary in summaries]
    counts = [item for item in found if item is not None]
    if not counts or not sum(item["attempted"] for item in counts):
        return None
    target = counts[0]["target"]
    whole = pooled((Attainment(item["met"], item["attempted"], target) for item in counts), target)
    return {"value": whole.share, "ci95": list(whole.interval), "target": target}


def _goodput(summaries: Sequence[Mapping[str, Any]]) -> float | None:
    values = [(summary.get("slo") or {}).get("goodput") for summary in summaries]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
