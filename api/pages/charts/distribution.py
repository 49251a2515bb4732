"""Distributions: the ECDF and the histogram of a metric, with percentiles as upright lines. Several overlay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from api.pages.charts.figure import MAX_ROWS, Cell, Figure
from api.pages.charts.plot import HEIGHT, RIGHT, WIDTH, Plot, across, room_for, up
from api.pages.charts.scale import Kind, Scale
from api.pages.charts.text import tick_text
from api.pages.words.numbers import significant


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of the values of one run, as `GET /benchmarks/{id}/charts` has it.

    Up to 512 values all are there. Of more, the k-th quantile is that of the share (k + 0.5) / 512, and `tail` has the
    highest values. `marks`: percentiles to draw and to say, by label: `{"P50": 142.5, "P95": 240.7}`.
    """

    name: str
    count: int
    quantiles: Sequence[float]
    tail: Sequence[float] = ()
    marks: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether every value is there."""
        return self.count <= len(self.quantiles)

    def points(self) -> list[tuple[float, float]]:
        """Of the ECDF: a value, and the per cent of values up to it."""
        known = len(self.quantiles)
        if self.is_whole:
            return [(value, 100 * (index + 1) / known) for index, value in enumerate(self.quantiles)]
        points = [(value, 100 * (index + 0.5) / known) for index, value in enumerate(self.quantiles)]
        above = len(self.tail)
        return points + [
            (value, 100 * (self.count - above + index + 1) / self.count) for index, value in enumerate(self.tail)
        ]


def ecdf(
    figure_id: str,
    title: str,
    samples: Sequence[Sample],
    *,
    unit: str = "ms",
    kind: Kind = "linear",
    zoom: tuple[float, float] | None = None,
    csv_url: str | None = None,
    url: str | None = None,
    caption: str = "",
    width: float = WIDTH,
) -> Figure:
    """The share of values that are at most x, one line a sample. Lines of several samples have their names."""
    curves = [(sample, sample.points()) for sample in samples]
    several = len(samples) > 1
    names = [sample.name for sample in samples] if several else []
    x = _x_axis([value for _, points in curves for value, _ in points], kind, zoom, width, room_for(names))
    plot = Plot(width, HEIGHT, x, up([0, 100]), f"{title}, {unit}", "% of requests")
    for number, (sample, points) in enumerate(curves):
        css = series(number)
        draw = plot.steps if sample.is_whole else plot.path
        draw(_begun(points), css, name=sample.name if several else "")
        for label, value in sample.marks.items():
            if value is not None:
                plot.vertical(value, f"{label} {significant(value)}", css if several else "mark")
    return Figure(
        id=figure_id,
        title=title,
        caption=caption or _sentence(samples, unit),
        svg=plot.svg(figure_id),
        columns=["% of requests", *(f"{sample.name if several else title}, {unit}" for sample in samples)],
        rows=_percentile_rows([points for _, points in curves]),
        csv_url=csv_url,
        url=url,
        zoom=zoom,
        scale=kind,
        scales=True,
    )


def histogram(
    figure_id: str,
    title: str,
    edges: Sequence[float],
    counts: Sequence[int],
    *,
    unit: str = "ms",
    kind: Kind = "linear",
    zoom: tuple[float, float] | None = None,
    marks: Mapping[str, float | None] | None = None,
    csv_url: str | None = None,
    url: str | None = None,
    caption: str = "",
    width: float = WIDTH,
) -> Figure:
    """How many values are between each two edges. On a log scale, pass edges that grow by a factor."""
    x = _x_axis(edges, kind, zoom, width, RIGHT)
    shown = [
        count for left, right, count in zip(edges, edges[1:], counts, strict=False) if right > x.low and left < x.high
    ]
    plot = Plot(width, HEIGHT, x, up([0, *(shown or [1])]), f"{title}, {unit}", "requests", y_text=_whole)
    plot.bars(_from_low(edges, x), counts)
    for label, value in (marks or {}).items():
        if value is not None:
            plot.vertical(value, f"{label} {significant(value)}")
    return Figure(
        id=figure_id,
        title=title,
        caption=caption or _most(edges, counts, unit),
        svg=plot.svg(figure_id),
        columns=[f"from, {unit}", f"to, {unit}", "requests"],
        rows=[
            (left, right, count)
            for left, right, count in zip(edges, edges[1:], counts, strict=False)
            if right > x.low and left < x.high
        ][:MAX_ROWS],
        csv_url=csv_url,
        url=url,
        zoom=zoom,
        scale=kind,
        scales=True,
    )


def series(number: int) -> str:
    """The class of a series: colour and dash. The ninth is like the first."""
    return f"s{number % 8 + 1}"


def legend(names: Sequence[str]) -> Markup:
    """The key to the series, for figures without room for names at the ends of lines."""
    item = Markup(
        '<li class="{css}"><svg class="chart key" width="24" height="8" viewBox="0 0 24 8" aria-hidden="true">'
        '<path class="line {css}" d="M0,4h24"/></svg> <bdi>{name}</bdi></li>'
    )
    items = [item.format(css=series(number), name=name) for number, name in enumerate(names)]
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(items))


def _x_axis(values: Sequence[float], kind: Kind, zoom: tuple[float, float] | None, width: float, right: float) -> Scale:
    positive = [value for value in values if value > 0]
    if kind == "log" and not positive:
        kind = "linear"
    if zoom is not None and (kind == "linear" or zoom[0] > 0):
        return across(zoom, width=width, right=right, kind=kind)
    # Values far from 0 would be a wall at the right end of an axis that begins there.
    near_zero = bool(values) and min(values) < max(values) / 2
    return across(values, width=width, right=right, kind=kind, zero=near_zero)


def _whole(value: float) -> str:
    """There are no parts of a request."""
    return tick_text(value) if value == int(value) else ""


def _begun(points: Sequence[tuple[float, float]]) -> list[tuple[float, float | None]]:
    """From 0 % up at the lowest value."""
    return [(points[0][0], 0.0), *points] if points else []


def _from_low(edges: Sequence[float], x: Scale) -> Sequence[float]:
    """A log scale has no 0: the first bar begins where the axis does."""
    return [max(edge, x.low) if x.kind == "log" else edge for edge in edges]


def _percentile_rows(curves: Sequence[Sequence[tuple[float, float]]]) -> list[list[Cell]]:
    """What each curve is at every per cent."""
    return [
        [percent, *(next((value for value, height in points if height >= percent - 1e-9), None) for points in curves)]
        for percent in range(1, 101)
    ]


def _sentence(samples: Sequence[Sample], unit: str) -> str:
    """What the lines say: the marks of each."""
    parts = []
    for sample in samples:
        if sample.count:
            marks = ", ".join(
                f"{label} {significant(value)} {unit}" for label, value in sample.marks.items() if value is not None
            )
            requests = "1 request" if sample.count == 1 else f"{sample.count:,} requests"
            whose = f"{sample.name}, {requests}" if len(samples) > 1 else requests
            parts.append(f"{whose}: {marks}" if marks else whose)
    if not parts:
        return "There are no values."
    return f"Share of requests that took at most this long. {'; '.join(parts)}."


def _most(edges: Sequence[float], counts: Sequence[int], unit: str) -> str:
    total = sum(counts)
    if not total:
        return "There are no values."
    highest = max(range(len(counts)), key=lambda index: counts[index])
    return (
        f"The highest bar has {counts[highest]:,} of {total:,} requests, between {significant(edges[highest])} and "
        f"{significant(edges[highest + 1])} {unit}."
    )
