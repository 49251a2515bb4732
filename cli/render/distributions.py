"""The tables of distributions and their confidence intervals, with notes about dashes and rows."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cli.render.numbers import UNKNOWN, WRITERS, count
from cli.render.table import table
from cli.terminal.output import QUIET, Line
from shared.numbers.metrics import METRICS
from shared.numbers.percentiles import MIN_COUNT

ROWS = {metric.name: metric.row for metric in METRICS.values() if metric.row is not None}
# Percentiles that have an interval, and the fewest independent values for it.
INTERVALS = {"p50": 6, "p95": 72, "p99": 368}
NEEDED = {f"p{percent}": needed for percent, needed in MIN_COUNT.items()}


def distributions(summary: dict[str, Any], *, explain: bool = False) -> Iterator[Line]:
    """Count, minimum, percentiles and maximum of each metric over succeeded requests."""
    shown = [name for name in ROWS if _is_shown(name, summary)]
    rows = [_row(name, summary[name]) for name in shown]
    yield from table(("", "count", "min", *NEEDED, "max"), rows, right="lrrrrrrr")
    missing = [name for name in NEEDED if any(_unsupported(summary[row], name) for row in shown)]
    if missing:
        needs = ", ".join(f"{name} needs {NEEDED[name]}" for name in missing)
        yield Line(f"– too few values: {needs}", QUIET, 2)
    if any(summary[name]["count"] == 0 for name in shown):
        yield Line("– with count 0: no succeeded request had this number", QUIET, 2)
    yield from _intervals(shown, summary)
    if explain:
        yield Line("")
        for name in shown:
            yield Line(f"{ROWS[name]}: {METRICS[name].text}", QUIET, 2)


def _intervals(shown: Sequence[str], summary: dict[str, Any]) -> Iterator[Line]:
    """The 95 % confidence intervals of the percentiles, or why there are none."""
    known = [percentile for percentile in INTERVALS if any(_interval(summary[name], percentile) for name in shown)]
    if not known:
        yield Line(f"– no 95 % intervals: {_why_none(summary)}", QUIET, 2)
        return
    rows = [
        (
            ROWS[name],
            *(_range(WRITERS[METRICS[name].unit], _interval(summary[name], percentile)) for percentile in known),
        )
        for name in shown
        if any(_interval(summary[name], percentile) for percentile in known)
    ]
    yield Line("")
    yield from table(("95 % interval", *known), rows, right="l" + "r" * len(known))


def _interval(spread: dict[str, Any], percentile: str) -> Sequence[float] | None:
    ends: Sequence[float] | None = spread.get(f"{percentile}_ci95")
    return ends


def _range(write: Callable[[Any], str], ends: Sequence[float] | None) -> str:
    return UNKNOWN if ends is None else f"{write(ends[0])} to {write(ends[1])}"


def _why_none(summary: dict[str, Any]) -> str:
    basis = summary["ttft_ms"].get("interval_basis")
    needs = f"that of the median needs {INTERVALS['p50']}"
    if basis == "prompts":
        return f"prompts were repeated, so prompts count and not requests, and {needs} different ones"
    if basis == "requests":
        return f"{needs} succeeded requests"
    return "it is not known how the values depend on each other"


def _is_shown(name: str, summary: dict[str, Any]) -> bool:
    spread = summary.get(name)
    # Only if the model reasoned first is its first answer token later than its first token.
    return spread is not None and (name != "ttfat_ms" or spread != summary["ttft_ms"])


def _row(name: str, spread: dict[str, Any]) -> tuple[str, ...]:
    write = WRITERS[METRICS[name].unit]
    values = (spread["min"], *(spread[percentile] for percentile in NEEDED), spread["max"])
    return (ROWS[name], count(spread["count"]), *(write(value) for value in values))


def _unsupported(spread: dict[str, Any], percentile: str) -> bool:
    return spread["count"] > 0 and spread[percentile] is None
