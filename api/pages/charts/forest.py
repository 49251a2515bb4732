"""A forest plot: one row a difference, with its interval as a line, its value as a dot, and the margin around 0."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.pages.charts.axis import x_axis
from api.pages.charts.figure import Figure
from api.pages.charts.plot import WIDE, across
from api.pages.charts.scale import Scale
from api.pages.charts.text import label, tick_text

ROW_PX = 26
_TOP, _BOTTOM = 26, 44
_LEFT, _RIGHT = 190, 190
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Row:
    """`value` and `interval`: change in per cent of the reference. `shown`: the same in the metric's own unit.

    `margin`: up to this many per cent a difference does not matter. `css`: the class of the run's series. `is_better`:
    None without a verdict that says so.
    """

    title: str
    css: str
    value: float | None
    interval: Interval | None
    margin: float | None
    shown: str
    verdict: str
    is_better: bool | None = None


def forest(figure_id: str, title: str, rows: Sequence[Row], *, caption: str, csv_url: str | None = None) -> Figure:
    """Rows from top to bottom on one axis of per cent."""
    height = _TOP + len(rows) * ROW_PX + _BOTTOM
    ends = [end for row in rows if row.interval is not None for end in row.interval]
    values = [row.value for row in rows if row.value is not None]
    scale = _scale(values, ends)
    top, foot = float(_TOP), float(height - _BOTTOM)
    parts = [x_axis(scale, top, foot, "difference to A, %", _percent)]
    parts += [_row(row, scale, _TOP + (number + 0.5) * ROW_PX) for number, row in enumerate(rows)]
    zero = Markup('<path class="axis" d="M{0:.1f},{1:.1f}V{2:.1f}"/>').format(scale.at(0), top, foot)
    svg = Markup(
        '<svg class="chart wide forest" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="{id}-title {id}-caption">{parts}{zero}</svg>'
    ).format(width=WIDE, height=height, id=figure_id, parts=Markup("").join(parts), zero=zero)
    return Figure(
        id=figure_id,
        title=title,
        caption=caption,
        svg=svg,
        columns=["what", "difference, %", "95 % from, %", "95 % to, %", "margin, %", "difference", "verdict"],
        rows=[
            (row.title, row.value, *(row.interval or (None, None)), row.margin, row.shown, row.verdict) for row in rows
        ],
        csv_url=csv_url,
        zooms=False,
    )


def _scale(values: Sequence[float], ends: Sequence[float]) -> Scale:
    """0 and all values included. An interval that is far wider than all of them leaves the chart."""
    most = max(20.0, 1.5 * max((abs(value) for value in values), default=0.0))
    shown = [min(max(end, -most), most) for end in (*values, *ends)]
    low, high = min([0.0, *shown]), max([0.0, *shown])
    room = max((high - low) * 0.05, 1.0)
    return across([low - room, high + room], width=WIDE, left=_LEFT, right=_RIGHT)


def _row(row: Row, scale: Scale, y: float) -> Markup:
    parts = [label(8, y + 4, row.title, "note")]
    if row.margin is not None:
        left, right = _within(scale, -row.margin), _within(scale, row.margin)
        parts.append(
            Markup('<path class="band margin" d="M{:.1f},{:.1f}H{:.1f}V{:.1f}H{:.1f}Z"/>').format(
                left, y - ROW_PX / 2 + 2, right, y + ROW_PX / 2 - 2, left
            )
        )
    if row.interval is not None:
        parts.append(_interval(row, scale, row.interval, y))
    if row.value is not None:
        if scale.shows(row.value):
            parts.append(Markup('<path class="dots {}" d="M{:.1f},{:.1f}h0"/>').format(row.css, scale.at(row.value), y))
        mark = {True: "▲ better", False: "▼ worse", None: ""}[row.is_better]
        parts.append(label(WIDE - _RIGHT + 8, y + 4, f"{row.shown}", f"end {row.css}"))
        if mark:
            parts.append(label(WIDE - 8, y + 4, mark, "note", "end"))
    return Markup("").join(parts)


def _interval(row: Row, scale: Scale, interval: Interval, y: float) -> Markup:
    """With a bar at each end that is in the chart, and an arrow where it goes on outside."""
    left, right = (_within(scale, end) for end in interval)
    commands = [f"M{left:.1f},{y:.1f}H{right:.1f}"]
    for end, at, way in ((interval[0], left, 1), (interval[1], right, -1)):
        arrow = f"M{at + 6 * way:.1f},{y - 4:.1f}l{-6 * way},4l{6 * way},4"
        commands.append(f"M{at:.1f},{y - 5:.1f}v10" if scale.shows(end) else arrow)
    return Markup('<path class="whisker {}" d="{}"/>').format(row.css, "".join(commands))


def _within(scale: Scale, value: float) -> float:
    return scale.at(min(max(value, scale.low), scale.high))


def _percent(value: float) -> str:
    return f"+{tick_text(value)}" if value > 0 else tick_text(value).replace("-", "−")
