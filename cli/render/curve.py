"""A load curve as a table: throughput against latency, the knee marked, and the highest load within the SLOs."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.render.numbers import UNKNOWN, milliseconds, rate
from cli.render.table import table
from cli.terminal.output import GOOD, QUIET, WARNING, Line

_LOADS = {"concurrency": "streams", "request_rate": "requests/s asked"}
_HEADER = ("requests/s", "±", "tokens/s", "TTFT p50", "p95", "TPOT p50", "latency p50", "p95", "failed", "in SLO", "")


def curve_lines(curve: Mapping[str, Any]) -> list[Line]:
    """One row for each load, with times in ms. `±` is half of the 95 % interval of the throughput, in per cent."""
    points = curve["points"]
    if not points:
        return [Line("no stage has ended yet", QUIET)]
    rows = [_row(point, curve) for point in points]
    header = (_LOADS[curve["control"]], *_HEADER)
    return [*table(header, rows, right="rrrrrrrrrrrl"), Line(""), *_knee(curve), *_highest(curve)]


def _row(point: Mapping[str, Any], curve: Mapping[str, Any]) -> tuple[str, ...]:
    throughput = point["request_throughput"]
    return (
        f"{point['load']:,.6g}",
        rate(throughput["value"]),
        _half_width(throughput),
        rate((point["output_token_throughput"] or {}).get("value")),
        *(_percentile(point, "ttft_ms", name) for name in ("p50", "p95")),
        _percentile(point, "tpot_ms", "p50"),
        *(_percentile(point, "latency_ms", name) for name in ("p50", "p95")),
        f"{point['failed']:,}",
        UNKNOWN if point["attainment"] is None else f"{point['attainment']['value']:.1%}",
        ", ".join(_marks(point, curve)),
    )


def _marks(point: Mapping[str, Any], curve: Mapping[str, Any]) -> Iterator[str]:
    if curve["knee"] is not None and curve["knee"]["nearest_point"] == point["load"]:
        yield "<- knee"
    if curve["highest"] is not None and curve["highest"]["load"] == point["load"]:
        yield "highest in SLO"
    if point["broken_off"]:
        yield "broken off"


def _half_width(throughput: Mapping[str, Any]) -> str:
    interval, value = throughput["ci95"], throughput["value"]
    if interval is None or not value:
        return UNKNOWN
    return f"{(interval[1] - interval[0]) / 2 / value:.1%}"


def _percentile(point: Mapping[str, Any], metric: str, name: str) -> str:
    return milliseconds((point[metric] or {}).get(name))


def _knee(curve: Mapping[str, Any]) -> Iterator[Line]:
    knee = curve["knee"]
    if knee is None:
        yield Line(f"No knee: {curve['knee_reason']}", QUIET, 2)
        return
    unit = "streams" if curve["control"] == "concurrency" else "requests/s"
    yield Line(f"Knee at {knee['load']:.3g} {unit}: {rate(knee['request_throughput'])} requests/s", GOOD, 2)


def _highest(curve: Mapping[str, Any]) -> Iterator[Line]:
    highest = curve["highest"]
    if highest is None:
        if any(point["attainment"] is not None for point in curve["points"]):
            yield Line("No load meets the SLOs", WARNING, 2)
        return
    unit = "streams" if curve["control"] == "concurrency" else "requests/s"
    text = f"Highest load that meets the SLOs: {highest['load']:.6g} {unit}"
    if highest["first_missing"] is None:
        text += ", the highest that was measured"
    if not highest["is_sure"]:
        text += " (not certain by its confidence interval: measure longer)"
    yield Line(text, GOOD, 2)
