"""Swim lanes: one row a request, from its wait to its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from api.pages.charts.figure import Cell, Figure
from api.pages.charts.over_time import clock_text
from api.pages.charts.plot import BOTTOM, LEFT, RIGHT, TOP, WIDE, Plot
from api.pages.charts.scale import Scale

# The most rows: what eyes can follow.
MOST = 60
_ROW_PX = 8
# Without a choice of the reader, the first part of the run in which so many requests are sent.
_FIRST = 40

# Name, class, and which part of its row a bar takes: thin ones wait, thick ones work.
PHASES = (("queue", "s8", 0.12), ("connect", "s4", 0.3), ("TTFT", "s2", 0.6), ("generation", "s1", 0.9))


@dataclass(frozen=True, slots=True)
class _Lane:
    """Times in seconds. `phases`: (begin, end) by PHASES; None without such a phase."""

    place: int
    sent: float
    end: float
    phases: Sequence[tuple[float, float] | None]
    failed: bool


def lanes(
    requests: Mapping[str, Sequence[Any]],
    *,
    zoom: tuple[float, float] | None = None,
    csv_url: str | None = None,
    failed: Sequence[str],
) -> Figure:
    """`requests`: the columns of `GET …/charts`. `failed`: the outcomes that are failures."""
    every = [_lane(requests, place, failed) for place in range(len(requests["id"]))]
    begin, end = zoom or _beginning(every)
    inside = [lane for lane in every if lane.end >= begin and lane.sent <= end]
    shown = inside[:: max(1, -(-len(inside) // MOST))]
    height = TOP + BOTTOM + max(len(shown), 4) * _ROW_PX
    x = Scale.over((begin, end), LEFT, WIDE - RIGHT)
    # The first request is at the top.
    y = Scale("linear", 0, max(len(shown), 1), height - BOTTOM, TOP)
    text, title = clock_text(x.high - x.low)
    plot = Plot(WIDE, height, x, y, title, "requests, the first at the top", x_text=text, y_text=lambda _: "")
    for number, (_, css, share) in enumerate(PHASES):
        commands = [
            _bar(x, y, len(shown) - row - 0.5, share, *phase)
            for row, lane in enumerate(shown)
            if (phase := lane.phases[number]) is not None
        ]
        if commands:
            plot.add(Markup('<path class="bars {}" d="{}"/>').format(css, "".join(commands)))
    plot.failures((lane.end, len(shown) - row - 0.5) for row, lane in enumerate(shown) if lane.failed)
    return Figure(
        id="lanes",
        title="Single requests",
        caption=_caption(len(shown), len(inside), requests),
        svg=Markup("{}{}").format(plot.svg("lanes"), _legend()),
        columns=("result", "sent, s", "queue, ms", "connect, ms", "TTFT, ms", "latency, ms", "outcome"),
        rows=[_row(requests, lane.place) for lane in shown],
        csv_url=csv_url,
        zoom=zoom,
    )


def _lane(requests: Mapping[str, Sequence[Any]], place: int, failed: Sequence[str]) -> _Lane:
    sent: float = requests["sent_s"][place]
    queue, connect, ttft, latency, close = (
        (requests[name][place] or 0) / 1e3
        for name in ("queue_ms", "connect_ms", "ttft_ms", "latency_ms", "stream_close_ms")
    )
    ended = requests["ended_s"][place]
    end = max(sent + max(latency, close), sent if ended is None else ended)
    due = sent - queue
    # A connection is made while the request waits.
    connecting = max(due, sent - connect)
    phases = (
        (due, connecting) if connecting > due else None,
        (connecting, sent) if connect else None,
        (sent, sent + ttft) if ttft else (sent, end),
        (sent + ttft, sent + latency) if ttft and latency > ttft else None,
    )
    return _Lane(place, sent, end, phases, requests["outcome"][place] in failed)


def _beginning(every: Sequence[_Lane]) -> tuple[float, float]:
    """Of a long run the first requests, so that single ones are seen."""
    if not every:
        return 0.0, 1.0
    # In the order of their sends, as all requests of the document are.
    first = every if len(every) <= MOST else every[:_FIRST]
    return first[0].sent, max(lane.end for lane in first)


def _bar(x: Scale, y: Scale, middle: float, share: float, begin: float, end: float) -> str:
    left, right = x.at(begin), x.at(end)
    half = share * _ROW_PX / 2
    top = y.at(middle) - half
    # Half a pixel at least, so that it is seen.
    return f"M{left:.1f},{top:.1f}h{max(right - left, 0.5):.1f}v{2 * half:.1f}H{left:.1f}Z"


def _legend() -> Markup:
    items = [
        Markup(
            '<li><svg class="key {}" width="24" height="10" viewBox="0 0 24 10" aria-hidden="true">'
            '<path class="bars {}" d="M0,{:.1f}h24v{:.1f}h-24Z"/></svg> {}</li>'
        ).format(css, css, 5 - 4 * share, 8 * share, name)
        for name, css, share in PHASES
    ]
    return Markup('<ul class="legend chart">{}</ul>').format(Markup("").join(items))


def _caption(shown: int, inside: int, requests: Mapping[str, Any]) -> str:
    if not inside:
        return "No request was in flight in this time."
    which = (
        f"{shown:,} of {inside:,} requests that were in flight in this time"
        if shown < inside
        else "1 request"
        if shown == 1
        else f"{shown:,} requests"
    )
    drawn = f", from a sample of {len(requests['id']):,}" if requests["sampled"] else ""
    return f"{which}{drawn}: waiting here, connecting, waiting for the first token, and reading the answer."


def _row(requests: Mapping[str, Sequence[Any]], place: int) -> Sequence[Cell]:
    names = ("id", "sent_s", "queue_ms", "connect_ms", "ttft_ms", "latency_ms", "outcome")
    return [requests[name][place] for name in names]
