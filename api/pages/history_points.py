"""What the history page shows of a history: its points for the chart, its rows, and its caption."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.http.proxy import link
from api.pages.charts.history import RunPoint
from api.pages.words.history import amount_text, setting_text
from api.schemas.history import ChangeOut, HistoryOut, HistoryPointOut, MetricName, MetricOut


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A run in the table. `change`: in words, empty if nothing changed. `differs`: other settings, in words."""

    point: HistoryPointOut
    change: str
    is_changed: bool
    differs: Sequence[str]


def rows_of(history: HistoryOut, metric: MetricOut) -> list[HistoryRow]:
    """Newest first."""
    return [
        HistoryRow(
            point,
            _change_text(metric, point.changes[metric.name]),
            point.changes[metric.name].verdict == "changed",
            [setting_text(item) for item in point.differs],
        )
        for point in reversed(history.points)
    ]


def run_points(history: HistoryOut, metric: MetricOut) -> list[RunPoint]:
    return [_run_point(point, metric) for point in history.points]


def caption_of(history: HistoryOut, metric: MetricOut) -> str:
    """One sentence: how many runs, from where to where, and how many have changed."""
    values = [value for point in history.points if (value := point.metrics[metric.name].value) is not None]
    if not values:
        return f"None of {_runs(len(history.points))} has a {metric.title}."
    changed = sum(point.changes[metric.name].verdict == "changed" for point in history.points)
    known = any(point.changes[metric.name].verdict != "unknown" for point in history.points)
    text = f"{metric.title} of {_runs(len(values))}: between {amount_text(metric, min(values))} and "
    text += f"{amount_text(metric, max(values))}; "
    if not known:
        return text + "whether it has changed cannot be told from the stored intervals."
    return text + (
        f"{_runs(changed)} {'is' if changed == 1 else 'are'} marked as changed." if changed else "no change."
    )


def metric_named(history: HistoryOut, name: MetricName) -> MetricOut:
    return next(metric for metric in history.metrics if metric.name == name)


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"


def _run_point(point: HistoryPointOut, metric: MetricOut) -> RunPoint:
    reading, change = point.metrics[metric.name], point.changes[metric.name]
    said = f"Run {point.id}, {point.started_at:%Y-%m-%d %H:%M} UTC: {amount_text(metric, reading.value)}"
    if reading.interval is not None:
        low, high = reading.interval
        said += f", 95 % {amount_text(metric, low)} to {amount_text(metric, high)}"
    said += f", {reading.left_out}" if reading.left_out else ""
    said += f", grade {point.grade}" if point.grade else ""
    said += f". {_change_text(metric, change)}" if change.verdict == "changed" else ""
    said += ". " + "; ".join(setting_text(item) for item in point.differs[:3]) if point.differs else ""
    return RunPoint(
        id=point.id,
        url=link(f"/ui/benchmarks/{point.id}"),
        at=point.started_at,
        value=reading.value,
        interval=reading.interval,
        grade=point.grade,
        said=said,
        marked=change.verdict == "changed",
        other=bool(point.differs),
    )


def _change_text(metric: MetricOut, change: ChangeOut) -> str:
    """`40 ms more than before (120 ms)`; why it is not known; empty if nothing has changed."""
    if change.verdict == "unknown":
        return change.reason or ""
    if change.verdict == "unchanged" or change.difference is None:
        return ""
    way = "more" if change.difference > 0 else "less"
    return f"{amount_text(metric, abs(change.difference))} {way} than before ({amount_text(metric, change.reference)})"
