"""Times of single requests by their tokens, with the fitted line and its interval."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.charts.figure import MAX_ROWS, Figure
from api.pages.charts.plot import HEIGHT, WIDTH, Plot, across, up
from api.pages.charts.scale import Scale

# The most dots: more of them only hide each other.
MOST = 700


def scatter(
    figure_id: str,
    title: str,
    requests: Mapping[str, Sequence[Any]],
    *,
    tokens: str,
    time: str,
    fit: Mapping[str, Any] | None,
    caption: str,
    zoom: tuple[float, float] | None = None,
    csv_url: str | None = None,
) -> Figure:
    """`tokens`, `time`: names of columns. Only succeeded requests are drawn. `fit`: as `GET …/charts` has it."""
    columns = zip(requests["outcome"], requests["id"], requests[tokens], requests[time], strict=True)
    found = [
        (number, count, value)
        for outcome, number, count, value in columns
        if outcome == "succeeded" and count is not None and value is not None
    ]
    inside = [item for item in found if zoom is None or zoom[0] <= item[1] <= zoom[1]]
    drawn = inside[:: max(1, -(-len(inside) // MOST))]
    line = fit["line"] if fit else None
    x = across(zoom or _with_margin([count for _, count, _ in found]))
    y = _upwards([value for _, _, value in inside])
    plot = Plot(WIDTH, HEIGHT, x, y, tokens.replace("_", " "), f"{title}, ms")
    plot.dots(((count, value) for _, count, value in drawn), "s5")
    if line is not None:
        if line["low_ms"] is not None:
            plot.band(list(zip(line["tokens"], line["low_ms"], line["high_ms"], strict=True)), "s7")
        plot.path(zip(line["tokens"], line["ms"], strict=True), "fit s7")
    return Figure(
        id=figure_id,
        title=f"{title} by {tokens.replace('_', ' ')}",
        caption=caption,
        svg=plot.svg(figure_id),
        columns=("result", tokens.replace("_", " "), f"{title}, ms"),
        rows=inside[:MAX_ROWS],
        csv_url=csv_url,
        zoom=zoom,
    )


def _upwards(times: Sequence[float]) -> Scale:
    """Begins at 0 only for times near it: how they rise is the question, and times far from 0 would be flat."""
    if not times or min(times) < max(times) / 2:
        return up([0, *times])
    return up(_with_margin(times), zero=False)


def _with_margin(counts: Sequence[float]) -> Sequence[float]:
    """So that dots at the ends are whole."""
    if not counts:
        return counts
    low, high = min(counts), max(counts)
    margin = (high - low) / 50
    return [low - margin, high + margin]
