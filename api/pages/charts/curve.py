"""The load curve: throughput across, a percentile of a latency up, a point a load with its intervals, knee and SLO."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from api.pages.charts.figure import Cell, Figure
from api.pages.charts.plot import WIDE, Plot, across, up
from api.pages.words.numbers import significant

_HEIGHT = 420
_RIGHT = 60


def load_curve(
    figure_id: str,
    title: str,
    curve: Mapping[str, Any],
    *,
    metric: str,
    percentile: str,
    most_ms: float | None,
    caption: str,
    csv_url: str,
) -> Figure:
    """`curve`: the document of `GET /benchmarks/{id}/curve`. `most_ms`: the SLO of this percentile."""
    points = [point for point in curve["points"] if _latency(point, metric, percentile) is not None]
    ends = [end for point in points for end in point["request_throughput"]["ci95"] or ()]
    x = across(
        _with_room([*(point["request_throughput"]["value"] for point in points), *ends]),
        width=WIDE,
        right=_RIGHT,
        zero=True,
    )
    heights = [_latency(point, metric, percentile) for point in points]
    tops = [interval[1] for point in points if (interval := _interval(point, metric, percentile)) is not None]
    y = up(_with_room([*heights, *tops, most_ms]), height=_HEIGHT)
    plot = Plot(WIDE, _HEIGHT, x, y, "throughput, requests/s", f"{title}, ms")
    if most_ms is not None:
        plot.horizontal(most_ms, f"SLO {significant(most_ms)} ms", "slo")
        at = y.at(most_ms)
        plot.add(
            Markup(
                '<path class="grip" d="M{:.1f},{:.1f}H{:.1f}" tabindex="0" role="slider" aria-orientation="vertical" '
                'aria-label="SLO, ms" aria-valuemin="0" aria-valuemax="{:.12g}" aria-valuenow="{:.12g}"/>'
            ).format(x.start_px, at, x.end_px, y.high, most_ms)
        )
    plot.path([(point["request_throughput"]["value"], _latency(point, metric, percentile)) for point in points])
    for point in points:
        _add(plot, point, metric, percentile)
    knee = curve["knee"]
    if knee is not None:
        nearest = next((point for point in points if point["load"] == knee["nearest_point"]), None)
        if nearest is not None:
            plot.vertical(nearest["request_throughput"]["value"], f"knee at {knee['load']:.3g}")
    return Figure(
        id=figure_id,
        title=title,
        caption=caption,
        svg=plot.svg(figure_id),
        columns=columns(curve, title),
        rows=rows(curve, metric, percentile),
        csv_url=csv_url,
        zooms=False,
    )


def columns(curve: Mapping[str, Any], title: str) -> Sequence[str]:
    """Of the data table."""
    return [
        "streams" if curve["control"] == "concurrency" else "requests/s asked",
        "requests/s",
        "95 % from, requests/s",
        "95 % to, requests/s",
        f"{title}, ms",
        "95 % from, ms",
        "95 % to, ms",
        "in SLO, %",
        "succeeded",
        "failed",
        "broken off",
    ]


def rows(curve: Mapping[str, Any], metric: str, percentile: str) -> list[list[Cell]]:
    """One for each load."""
    return [
        [
            point["load"],
            point["request_throughput"]["value"],
            *(point["request_throughput"]["ci95"] or (None, None)),
            _latency(point, metric, percentile),
            *(_interval(point, metric, percentile) or (None, None)),
            None if point["attainment"] is None else point["attainment"]["value"] * 100,
            point["succeeded"],
            point["failed"],
            "yes" if point["broken_off"] else "no",
        ]
        for point in curve["points"]
    ]


def _with_room(values: Sequence[float | None]) -> list[float]:
    """For the labels of the highest points."""
    known = [value for value in values if value is not None]
    return [*known, *([max(known) * 1.05] if known else [])]


def _add(plot: Plot, point: Mapping[str, Any], metric: str, percentile: str) -> None:
    """A point with both intervals and its load. One that was broken off is a failure."""
    throughput, height = point["request_throughput"], _latency(point, metric, percentile)
    if height is None:
        return
    if point["broken_off"]:
        plot.failures([(throughput["value"], height)])
    else:
        plot.dots([(throughput["value"], height)])
    interval = _interval(point, metric, percentile)
    if interval is not None:
        plot.whisker(throughput["value"], interval[0], interval[1])
    if throughput["ci95"] is not None:
        left, right = (plot.x.at(end) for end in throughput["ci95"])
        at = plot.y.at(height)
        plot.add(
            Markup('<path class="whisker s1" d="M{:.1f},{:.1f}v8M{:.1f},{:.1f}v8M{:.1f},{:.1f}H{:.1f}"/>').format(
                left, at - 4, right, at - 4, left, at, right
            )
        )
    x, y = plot.x.at(throughput["value"]), plot.y.at(height)
    plot.add(Markup('<text class="note" x="{:.1f}" y="{:.1f}">{:g}</text>').format(x + 8, y - 8, point["load"]))


def _latency(point: Mapping[str, Any], metric: str, percentile: str) -> float | None:
    return (point[metric] or {}).get(percentile)


def _interval(point: Mapping[str, Any], metric: str, percentile: str) -> Sequence[float] | None:
    return (point[metric] or {}).get(f"{percentile}_ci95")
