"""The table of distributions, and what its dashes and rows mean."""

from collections.abc import Callable, Iterator
from typing import Any

from cli.output import Line
from cli.render.numbers import count, milliseconds, rate
from cli.render.table import table
from shared.numbers.metrics import DEFINITIONS

# What a row is called, and how its values are written.
ROWS: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "ttft_ms": ("TTFT (ms)", milliseconds),
    "ttfat_ms": ("TTFT of answer (ms)", milliseconds),
    "latency_ms": ("Latency (ms)", milliseconds),
    "effective_latency_ms": ("Due to end (ms)", milliseconds),
    "tpot_ms": ("TPOT (ms/token)", milliseconds),
    "tokens_per_second": ("Tokens/s", rate),
    "inter_chunk_latency_ms": ("Inter-chunk (ms)", milliseconds),
}
PERCENTILES = ("p50", "p90", "p95", "p99")
# How many values a percentile needs (METRICS.md); a test keeps these equal to `shared.numbers.statistics.MIN_COUNT`,
# which costs numpy to import.
NEEDED = {"p50": 1, "p90": 10, "p95": 20, "p99": 100}


def distributions(summary: dict[str, Any], *, explain: bool = False) -> Iterator[Line]:
    """Count, least, percentiles, most of each metric over succeeded requests."""
    shown = [name for name in ROWS if _is_shown(name, summary)]
    rows = [_row(name, summary[name]) for name in shown]
    yield from table(("", "count", "min", *PERCENTILES, "max"), rows, right="lrrrrrrr")
    missing = [name for name in PERCENTILES if any(_unsupported(summary[row], name) for row in shown)]
    if missing:
        needs = ", ".join(f"{name} needs {NEEDED[name]}" for name in missing)
        yield Line(f"– too few values: {needs}", "dim")
    if any(summary[name]["count"] == 0 for name in shown):
        yield Line("– with count 0: no succeeded request had this number", "dim")
    if explain:
        yield Line("")
        for name in shown:
            yield Line(f"{ROWS[name][0]}: {DEFINITIONS[name].text}", "dim")


def _is_shown(name: str, summary: dict[str, Any]) -> bool:
    spread = summary.get(name)
    # Only a model that thinks has a first answer token later than its first token.
    return spread is not None and (name != "ttfat_ms" or spread != summary["ttft_ms"])


def _row(name: str, spread: dict[str, Any]) -> tuple[str, ...]:
    title, write = ROWS[name]
    values = (spread["min"], *(spread[percentile] for percentile in PERCENTILES), spread["max"])
    return (title, count(spread["count"]), *(write(value) for value in values))


def _unsupported(spread: dict[str, Any], percentile: str) -> bool:
    return spread["count"] > 0 and spread[percentile] is None
