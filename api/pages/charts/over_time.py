"""What happened when: requests by outcome, output tokens per second, and times, over the time of a run."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from api.pages.charts.figure import MAX_ROWS, Cell, Figure
from api.pages.charts.plot import HEIGHT, WIDTH, Plot, across, room_for, up
from api.pages.charts.text import tick_text
from api.pages.words.numbers import duration_ms, seconds, significant

Zoom = tuple[float, float] | None

# From this length of a chart on, times are minutes and seconds.
_CLOCK_S = 300


def requests_over_time(series: Mapping[str, Any], *, zoom: Zoom = None, csv_url: str | None = None) -> Figure:
    """Requests sent, succeeded and failed per second. Failures are crosses."""
    offsets, step_s = series["offset_s"], series["step_s"]
    rates = {name: [count / step_s for count in series[name]] for name in ("sent", "succeeded", "failed")}
    x = _axis(series, zoom, ("succeeded", "sent"))
    shown = [place for place, offset in enumerate(offsets) if x.low - step_s <= offset <= x.high]
    plot = _plot(x, up([0, *(rates[name][place] for name in rates for place in shown)]), "requests/s")
    plot.steps(_points(series, rates["sent"]), "s2", name="sent")
    plot.steps(_points(series, rates["succeeded"]), "s1", name="succeeded")
    plot.failures((offset + step_s / 2, rate) for offset, rate in zip(offsets, rates["failed"], strict=True) if rate)
    sent, failed = sum(series["sent"]), sum(series["failed"])
    return _figure(
        "over-time",
        "Requests over time",
        f"{'1 request was' if sent == 1 else f'{sent:,} requests were'} sent in {seconds(_end(series))}; "
        f"{f'{failed:,} failed' if failed else 'none failed'}. Each step is {_step_text(step_s)}.",
        plot,
        ("sent", "succeeded", "failed"),
        ("s after the first request", "sent", "succeeded", "failed"),
        series,
        zoom,
        csv_url,
    )


def throughput_over_time(
    series: Mapping[str, Any], *, mean: float | None, zoom: Zoom = None, csv_url: str | None = None
) -> Figure:
    """Output tokens per second, with the `mean` of the whole run."""
    rates: Sequence[float | None] = series["output_token_throughput"]
    plot = _plot(_axis(series, zoom), up([0, mean, *rates]), "output tokens/s")
    plot.steps(_points(series, rates), "s1")
    if mean is not None:
        plot.horizontal(mean, f"mean {significant(mean)}")
    known = [rate for rate in rates if rate is not None]
    caption = "No output tokens are known."
    if known:
        caption = (
            f"At most {significant(max(known))} output tokens per second in a step of {_step_text(series['step_s'])}"
        )
        caption += f"; {significant(mean)} over the whole run." if mean is not None else "."
    return _figure(
        "throughput",
        "Output tokens per second",
        caption,
        plot,
        ("output_token_throughput",),
        ("s after the first request", "output tokens/s"),
        series,
        zoom,
        csv_url,
    )


def times_over_time(series: Mapping[str, Any], *, zoom: Zoom = None, csv_url: str | None = None) -> Figure:
    """TTFT and latency by the time of the send. Failures are crosses at the foot."""
    names = {"latency_p50_ms": "latency P50", "ttft_p95_ms": "TTFT P95", "ttft_p50_ms": "TTFT P50"}
    drawn = {name: text for name, text in names.items() if any(value is not None for value in series[name])}
    x = _axis(series, zoom, drawn.values())
    plot = _plot(x, up([0, *(value for name in drawn for value in series[name])]), "ms")
    for number, (name, text) in enumerate(drawn.items(), 1):
        middle = series["step_s"] / 2
        values = zip((offset + middle for offset in series["offset_s"]), series[name], strict=True)
        plot.path(_without_gaps(values), f"s{4 - number}", name=text)
    plot.failures(
        (offset + series["step_s"] / 2, 0.0)
        for offset, failed in zip(series["offset_s"], series["failed"], strict=True)
        if failed
    )
    return _figure(
        "latency-over-time",
        "TTFT and latency over time",
        _trend(series),
        plot,
        tuple(names),
        ("s after the first request", "latency P50, ms", "TTFT P95, ms", "TTFT P50, ms"),
        series,
        zoom,
        csv_url,
    )


def clock_text(span_s: float) -> tuple[Callable[[float], str], str]:
    """How an axis of this length writes its times, and what its title says."""
    if span_s < _CLOCK_S:
        return tick_text, "s after the first request"
    if span_s < 7_200:
        return lambda value: f"{int(value) // 60}:{int(value) % 60:02}", "min:s after the first request"
    return lambda value: f"{int(value) // 3_600}:{int(value) // 60 % 60:02}", "h:min after the first request"


def _step_text(step_s: float) -> str:
    """Steps are round: `0.2 s`, without the zeros of a measured number."""
    return f"{step_s:g} s" if step_s < 120 else seconds(step_s)


def _trend(series: Mapping[str, Any]) -> str:
    """The medians of the first and of the last third, which show a drift."""
    known = [value for value in series["ttft_p50_ms"] if value is not None]
    if not known:
        return "No request succeeded."
    low, high = min(known), max(known)
    if len(known) == 1:
        return f"The median TTFT was {duration_ms(low)}."
    if len(known) < 3:
        return f"The median TTFT of a step was {duration_ms(low)} to {duration_ms(high)}."
    return f"The median TTFT of a step was between {duration_ms(low)} and {duration_ms(high)}. Crosses are failures."


def _axis(series: Mapping[str, Any], zoom: Zoom, names: Any = ()) -> Any:
    return across(zoom or (0, _end(series)), width=WIDTH, right=room_for(names))


def _plot(x: Any, y: Any, title: str) -> Plot:
    text, x_title = clock_text(x.high - x.low)
    return Plot(WIDTH, HEIGHT, x, y, x_title, title, x_text=text)


def _end(series: Mapping[str, Any]) -> float:
    offsets = series["offset_s"]
    return float(offsets[-1] + series["step_s"]) if offsets else 1.0


def _points(series: Mapping[str, Any], values: Sequence[float | None]) -> list[tuple[float, float | None]]:
    """The last step goes on to its end."""
    points: list[tuple[float, float | None]] = list(zip(series["offset_s"], values, strict=True))
    return [*points, (_end(series), points[-1][1])] if points else []


def _without_gaps(points: Any) -> list[tuple[float, float | None]]:
    """Single missing steps do not break a line: a step may hold few requests. Two in a row do."""
    found = list(points)
    known = [place for place, (_, value) in enumerate(found) if value is not None]
    kept: list[tuple[float, float | None]] = [found[known[0]]] if known else []
    for before, place in pairwise(known):
        if place - before > 2:
            kept.append((found[before + 1][0], None))
        kept.append(found[place])
    return kept


def _figure(
    figure_id: str,
    title: str,
    caption: str,
    plot: Plot,
    names: Sequence[str],
    columns: Sequence[str],
    series: Mapping[str, Any],
    zoom: Zoom,
    csv_url: str | None,
) -> Figure:
    rows: list[tuple[Cell, ...]] = list(zip(series["offset_s"], *(series[name] for name in names), strict=True))
    if zoom is not None:
        low, high = zoom
        rows = [row for row in rows if low - series["step_s"] <= (row[0] or 0) <= high]  # type: ignore[operator]
    return Figure(
        id=figure_id,
        title=title,
        caption=caption,
        svg=plot.svg(figure_id),
        columns=columns,
        rows=rows[:MAX_ROWS],
        csv_url=csv_url,
        zoom=zoom,
    )
