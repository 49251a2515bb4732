"""The table of distributions, with notes about its dashes and rows."""

from collections.abc import Iterator
from typing import Any

from cli.output import Line
from cli.render.numbers import WRITERS, count
from cli.render.table import table
from shared.numbers.metrics import METRICS
from shared.numbers.percentiles import MIN_COUNT

ROWS = {metric.name: metric.row for metric in METRICS.values() if metric.row is not None}
NEEDED = {f"p{percent}": needed for percent, needed in MIN_COUNT.items()}


def distributions(summary: dict[str, Any], *, explain: bool = False) -> Iterator[Line]:
    """Count, minimum, percentiles and maximum of each metric over succeeded requests."""
    shown = [name for name in ROWS if _is_shown(name, summary)]
    rows = [_row(name, summary[name]) for name in shown]
    yield from table(("", "count", "min", *NEEDED, "max"), rows, right="lrrrrrrr")
    missing = [name for name in NEEDED if any(_unsupported(summary[row], name) for row in shown)]
    if missing:
        needs = ", ".join(f"{name} needs {NEEDED[name]}" for name in missing)
        yield Line(f"– too few values: {needs}", "dim")
    if any(summary[name]["count"] == 0 for name in shown):
        yield Line("– with count 0: no succeeded request had this number", "dim")
    if explain:
        yield Line("")
        for name in shown:
            yield Line(f"{ROWS[name]}: {METRICS[name].text}", "dim")


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
