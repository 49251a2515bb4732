"""A comparison in a terminal: what differs, the values as a table, one sentence a difference, and what to know."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.render.numbers import UNKNOWN, milliseconds, rate, usd
from cli.render.table import table
from cli.terminal.output import GOOD, QUIET, WARNING, Line, clean

_STYLES = {"too_early": QUIET, "withheld": QUIET}


def comparison_lines(document: Mapping[str, Any]) -> list[Line]:
    """Sentences without any value are left out."""
    runs = document["runs"]
    lines = [
        Line(f"{run['label']}  benchmark {run['id']}: {clean(run['name'])}, {clean(run['model'])} at {run['provider']}")
        for run in runs
    ]
    lines += [Line(""), *_settings(document)]
    lines += [Line(f"no verdict: {clean(reason)}", WARNING) for reason in document["withheld"]]
    shown = [metric for metric in document["metrics"] if any(value["value"] is not None for value in metric["values"])]
    header = ("", *(cell for run in runs for cell in (run["label"], "95 %")))
    rows = [(metric["title"], *_cells(metric)) for metric in shown]
    lines += [*table(header, rows, right="l" + "rl" * len(runs)), Line("")]
    for metric in shown:
        lines += [_sentence(difference) for difference in metric["differences"]]
    if document["notes"]:
        lines.append(Line(""))
    return lines + [Line(clean(note), QUIET, 2) for note in document["notes"]]


def _settings(document: Mapping[str, Any]) -> Iterator[Line]:
    for item in document["differs"]:
        values = (
            "different" if item["field"] == "prompts" else ", ".join(clean(_text(value)) for value in item["values"])
        )
        yield Line(f"{item['field']}: {values}", WARNING if item["withholds"] else QUIET, 2)
    if document["differs"]:
        yield Line("")


def _text(value: Any) -> str:
    return "not set" if value is None else str(value)


def _sentence(difference: Mapping[str, Any]) -> Line:
    better = difference["better"]
    style = GOOD if better is True else WARNING if better is False else _STYLES.get(difference["verdict"], "")
    word = "" if better is None else " (better)" if better else " (worse)"
    return Line(clean(difference["sentence"]) + word, style, 2)


def _cells(metric: Mapping[str, Any]) -> Iterator[str]:
    for value in metric["values"]:
        yield _written(metric, value["value"])
        interval = value["interval"]
        yield "" if interval is None else f"[{', '.join(_written(metric, end) for end in interval)}]"


def _written(metric: Mapping[str, Any], value: float | None) -> str:
    if value is None:
        return UNKNOWN
    if metric["metric"] == "cost_usd_per_1000":
        return usd(value)
    if metric["metric"] == "error_rate":
        return f"{value:.1%}"
    return rate(value) if metric["metric"] == "tokens_per_second" else milliseconds(value)
