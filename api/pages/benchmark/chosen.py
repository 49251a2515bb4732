"""Which requests the table of a benchmark's page shows: what its filter and the zoomed figures choose."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from api.pages.charts.zoom import zoom_of
from api.pages.words.metrics import label
from api.pages.words.numbers import significant
from shared.benchmark.results.outcome import OUTCOMES
from shared.db.results.pages import SORTABLE

# The column that the x axis of a figure shows. Those over time are apart.
_COLUMNS = {
    **dict.fromkeys(("ttft-ecdf", "ttft-histogram"), "ttft_ms"),
    **dict.fromkeys(("latency-ecdf", "latency-histogram"), "latency_ms"),
    **dict.fromkeys(("tpot-ecdf", "tpot-histogram"), "tpot_ms"),
    **dict.fromkeys(("ttft-by-input", "latency-by-input"), "input_tokens"),
    **dict.fromkeys(("ttft-by-output", "latency-by-output"), "output_tokens"),
}
_OVER_TIME = ("over-time", "throughput", "latency-over-time", "lanes")
# A date beyond this is none.
_MOST_S = 1e10
_MOST_TOKENS = 2**62
SORTS = ("id", "-ttft_ms", "-latency_ms", "-output_tokens", "-cost_usd")


@dataclass(frozen=True, slots=True)
class Chosen:
    """`within`: the lowest and the highest value of columns. `words`: the same for people."""

    outcome: str | None
    sort: str
    within: Mapping[str, tuple[Any, Any]]
    words: tuple[str, ...]


def needs_time(query: Mapping[str, str]) -> bool:
    """Whether the URL chooses a part of the run's time."""
    return any(zoom_of(query, figure) is not None for figure in _OVER_TIME)


def chosen(query: Mapping[str, str], begins_at: datetime | None) -> Chosen:
    """From the URL of the page. What makes no sense chooses nothing. `begins_at`: when the first request was sent."""
    within: dict[str, tuple[Any, Any]] = {}
    words = []
    for figure, column in _COLUMNS.items():
        if (zoom := zoom_of(query, figure)) is not None:
            low, high = within.get(column, zoom)
            within[column] = max(low, zoom[0]), min(high, zoom[1])
    for column, (low, high) in within.items():
        if column.endswith("_tokens"):
            # The columns are whole numbers, and so are the values to compare them with.
            within[column] = (low, high) = math.ceil(max(low, -_MOST_TOKENS)), math.floor(min(high, _MOST_TOKENS))
        words.append(f"{label(column)} {significant(low)} to {significant(high)}")
        if column.endswith("_ms"):
            words[-1] += " ms"
    span = None
    for figure in _OVER_TIME:
        if (zoom := zoom_of(query, figure)) is not None and all(abs(end) < _MOST_S for end in zoom):
            span = zoom if span is None else (max(span[0], zoom[0]), min(span[1], zoom[1]))
    if span is not None and begins_at is not None:
        within["sent_at"] = begins_at + timedelta(seconds=span[0]), begins_at + timedelta(seconds=span[1])
        words.append(f"sent {significant(span[0])} to {significant(span[1])} s after the first request")
    outcome, sort = query.get("outcome"), query.get("sort", "id")
    return Chosen(
        outcome if outcome in OUTCOMES else None,
        sort if sort.removeprefix("-") in SORTABLE else "id",
        within,
        tuple(words),
    )
