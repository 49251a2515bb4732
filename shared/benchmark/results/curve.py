"""The load curve of a run: what throughput and which latencies each load gave, and where the knee is. The API shows it.

A pure function of the documents of the stages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.benchmark.results.curve_point import CurveStage, is_open, load_of_stage, point_of
from shared.benchmark.search.probe import Control
from shared.numbers.knee import find_knee

PERCENTILES = (50, 95, 99)
METRICS = ("ttft_ms", "tpot_ms", "latency_ms", "effective_latency_ms")


@dataclass(frozen=True, slots=True)
class CurveSlo:
    """A bound of one percentile of one metric of a point, in ms."""

    metric: str
    percentile: int
    at_most: float


def curve_of(stages: Sequence[CurveStage], slos: Sequence[CurveSlo] = ()) -> dict[str, Any]:
    """Points in rising load, the knee or why there is none, and the highest load that meets the SLOs.

    Stages of the same load are one point. `slos` empty: a point meets the SLOs of the run if its attainment does.
    """
    control = _control(stages)
    by_load: dict[float, list[CurveStage]] = {}
    for stage in stages:
        if control is not None and (load := load_of_stage(stage, control)) is not None:
            by_load.setdefault(load, []).append(stage)
    points = [point_of(load, by_load[load], PERCENTILES, METRICS) for load in sorted(by_load)]
    whole = [point for point in points if not point["broken_off"]]
    knee, reason = find_knee(
        [point["load"] for point in whole], [point["request_throughput"]["value"] for point in whole]
    )
    return {
        "control": control,
        "points": points,
        "knee": None
        if knee is None
        else {
            "load": knee.load,
            "request_throughput": knee.throughput,
            "nearest_point": min((point["load"] for point in whole), key=lambda load: abs(load - knee.load)),
            "tail_slope_share": knee.tail / knee.rise,
            "error_reduction": knee.error_reduction,
            "peak_share": knee.peak_share,
        },
        "knee_reason": reason + _left_out(len(stages) - sum(map(len, by_load.values()))),
        "highest": _highest(points, slos),
    }


def _control(stages: Sequence[CurveStage]) -> Control | None:
    """What tells the stages from each other. None: there are none."""
    if not stages:
        return None
    return "request_rate" if all(map(is_open, stages)) else "concurrency"


def _left_out(count: int) -> str:
    """What to say of stages that are no points of the curve."""
    return f"; stages left out, because an open loop has no concurrency of its own: {count}" if count else ""


def _highest(points: Sequence[Mapping[str, Any]], slos: Sequence[CurveSlo]) -> dict[str, Any] | None:
    """The highest load below the first that does not meet the SLOs. None: no SLOs, or the lowest load misses them."""
    found: Mapping[str, Any] | None = None
    missed: float | None = None
    for point in points:
        if not _meets(point, slos):
            missed = point["load"]
            break
        found = point
    if found is None:
        return None
    return {
        "load": found["load"],
        "request_throughput": found["request_throughput"]["value"],
        "is_sure": _meets(found, slos, surely=True),
        "first_missing": missed,
    }


def _meets(point: Mapping[str, Any], slos: Sequence[CurveSlo], *, surely: bool = False) -> bool:
    """`surely`: with the whole confidence interval."""
    if point["broken_off"]:
        return False
    if not slos:
        attainment = point["attainment"]
        if attainment is None:
            return False
        return bool((attainment["ci95"][0] if surely else attainment["value"]) >= attainment["target"])
    for slo in slos:
        values = point[slo.metric] or {}
        value, interval = values.get(f"p{slo.percentile}"), values.get(f"p{slo.percentile}_ci95")
        if surely:
            value = None if interval is None else interval[1]
        if value is None or value > slo.at_most:
            return False
    return True
