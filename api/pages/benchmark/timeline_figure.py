"""The timeline of one request: how much text had arrived at which moment."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.charts.figure import MAX_ROWS, Figure
from api.pages.charts.plot import HEIGHT, WIDE, Plot, across, up
from api.pages.words.numbers import duration_ms

_TEXT = ("content", "reasoning", "tool")


def timeline_figure(events: Sequence[Mapping[str, Any]]) -> Figure | None:
    """`events`: as the API shows them, by their arrival. None without events."""
    if not events:
        return None
    points: list[tuple[float, float | None]] = [(0, 0)]
    total = 0
    for event in events:
        if event["kind"] in _TEXT:
            total += event["size"]
            points.append((event["offset_ms"], total))
    last = events[-1]["offset_ms"]
    first = next((event["offset_ms"] for event in events if event["kind"] in _TEXT), None)
    plot = Plot(
        WIDE,
        HEIGHT,
        across([0, last], width=WIDE),
        up([0, total or 1]),
        "ms after the request was sent",
        "bytes of text",
    )
    plot.steps([*points, (last, total)], "s1")
    if first is not None:
        plot.vertical(first, f"TTFT {duration_ms(first)}")
    plot.vertical(last, f"end {duration_ms(last)}")
    pieces = sum(event["kind"] in _TEXT for event in events)
    return Figure(
        id="timeline",
        title="Timeline",
        caption=f"{total:,} bytes of text came in {pieces:,} events; the last event came after {duration_ms(last)}.",
        svg=plot.svg("timeline"),
        columns=("ms after the request was sent", "event", "bytes"),
        rows=[(event["offset_ms"], event["kind"], event["size"]) for event in events[:MAX_ROWS]],
        zooms=False,
    )
