"""One metric over time: a point a run with its interval. Changed runs and runs with other settings look different."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from api.pages.charts.figure import MAX_ROWS, Figure
from api.pages.charts.plot import HEIGHT, WIDE, Plot, across, up

_HOUR_S, _DAY_S = 3_600, 86_400
# A shorter span has several ticks a minute.
_SHORT_S = 600
# A longer span has whole days at its axis, a shorter one hours.
_DAYS_FROM_S = 3 * _DAY_S
# Of the whole span, at both ends.
_ROOM = 0.02


@dataclass(frozen=True, slots=True)
class RunPoint:
    """A run. `said`: its number in words, for hover. `marked`: it has changed. `other`: its settings are others."""

    id: int
    url: str
    at: datetime
    value: float | None
    interval: tuple[float, float] | None
    grade: str | None
    said: str
    marked: bool
    other: bool


def history_figure(
    points: Sequence[RunPoint],
    *,
    title: str,
    caption: str,
    y_title: str,
    y_text: Callable[[float], str],
    csv_url: str,
) -> Figure:
    """`points`: oldest first. `y_text` writes a value for people."""
    known = [point for point in points if point.value is not None]
    zero, unit_s, x_text = _time_axis([point.at for point in known])

    def x_of(point: RunPoint) -> float:
        return (point.at - zero).total_seconds() / unit_s

    places = [x_of(point) for point in known]
    # Room for the first and the last mark.
    margin = (max(places) - min(places)) * _ROOM if known else 0.0
    x = across([*(place - margin for place in places), *(place + margin for place in places)], width=WIDE)
    reach = [bound for point in known for bound in (point.value, *(point.interval or ()))]
    plot = Plot(WIDE, HEIGHT, x, up([0, *reach]), "start of the run, UTC", y_title, x_text=x_text, y_text=y_text)
    plot.path([(x_of(point), point.value) for point in known if not point.other], "s1")
    for point in known:
        css = "s8" if point.other else "s1"
        if point.interval is not None:
            plot.whisker(x_of(point), *point.interval, css)
    for point in known:
        plot.add(_dot(point, x.at(x_of(point)), plot.y.at(point.value or 0.0)))
    shown = points[-MAX_ROWS:]
    return Figure(
        id="history",
        title=title,
        caption=caption,
        svg=plot.svg("history"),
        columns=("run", "started, UTC", y_title, "95 % from", "to", "grade", "changed", "settings"),
        rows=[
            (
                f"#{point.id}",
                point.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M"),
                point.value,
                *(point.interval or (None, None)),
                point.grade,
                "yes" if point.marked else "",
                "others" if point.other else "",
            )
            for point in reversed(shown)
        ],
        csv_url=csv_url,
        zooms=False,
    )


def _dot(point: RunPoint, x: float, y: float) -> Markup:
    """A link to the run. A changed one is a diamond with a ring, one with other settings is hollow."""
    css = "point" + (" marked" if point.marked else "") + (" s8 hollow" if point.other else " s1")
    shape = (
        Markup('<path d="M{0:.1f},{1:.1f}l6,6l-6,6l-6,-6z"/><circle cx="{0:.1f}" cy="{2:.1f}" r="10"/>').format(
            x, y - 6, y
        )
        if point.marked
        else Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4"/>').format(x, y)
    )
    return Markup('<a class="{}" href="{}" aria-label="{}"><title>{}</title>{}</a>').format(
        css, point.url, point.said, point.said, shape
    )


def _time_axis(times: Sequence[datetime]) -> tuple[datetime, float, Callable[[float], str]]:
    """Where it begins, its unit in seconds, and how it writes a value: dates or hours, at round places."""
    first = min(times, default=datetime(2025, 1, 1, tzinfo=UTC)).astimezone(UTC)
    last = max(times, default=first)
    zero = first.replace(hour=0, minute=0, second=0, microsecond=0)
    span_s = (last - first).total_seconds()
    by_day = span_s >= _DAYS_FROM_S
    unit_s, form = (
        (_DAY_S, "%Y-%m-%d")
        if by_day
        else (_HOUR_S, "%m-%d %H:%M")
        if span_s >= _HOUR_S
        else (60, "%H:%M")
        if span_s >= _SHORT_S
        else (1, "%H:%M:%S")
    )

    def text(value: float) -> str:
        return (zero + timedelta(seconds=value * unit_s)).strftime(form)

    return zero, unit_s, text
