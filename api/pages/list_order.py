"""Orders of the list of benchmarks. The database gives newest or oldest; here a page is sorted by its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from api.pages.benchmark_rows import Row

Order = Literal[
    "newest", "oldest",
    "name", "-name", "model", "-model", "status", "-status",
    "ttft_p50_ms", "-ttft_p50_ms", "ttft_p95_ms", "-ttft_p95_ms", "tokens_per_s", "-tokens_per_s",
    "usd_per_request", "-usd_per_request", "failed_share", "-failed_share", "grade", "-grade",
]  # fmt: skip
NEWEST: Order = "newest"
OLDEST: Order = "oldest"


@dataclass(frozen=True, slots=True)
class Column:
    """A column to sort by. `key`: field of a row; `unit` stands below the title; `spoken`: the title by itself."""

    key: str
    title: str
    unit: str = ""
    number: bool = True
    largest_first: bool = False
    hint: str = ""
    spoken: str = ""

    @property
    def orders(self) -> tuple[str, str]:
        """By the first click and by the second."""
        ways = (self.key, f"-{self.key}")
        return (ways[1], ways[0]) if self.largest_first else ways


COLUMNS = (
    Column("status", "Status", number=False),
    Column("name", "Name", number=False),
    Column("model", "Model at endpoint", number=False),
    Column("ttft_p50_ms", "TTFT P50", "ms", hint="Median time to first token"),
    Column("ttft_p95_ms", "P95", "ms", hint="95th percentile of the time to first token", spoken="TTFT P95"),
    Column("tokens_per_s", "Tokens/s", largest_first=True, hint="Output tokens of all requests by the run's duration"),
    Column("usd_per_request", "Cost", "$ per 1,000", hint="Cost of 1,000 succeeded requests"),
    Column("failed_share", "Errors", "%", largest_first=True, hint="Failed requests of those that failed or succeeded"),
    Column("grade", "Grade", number=False, hint="How little the measuring itself disturbs the numbers: A to D"),
)


def sorted_rows(rows: Sequence[Row], order: str) -> list[Row]:
    """By a column; unknown values come last either way, and equal ones keep their place."""
    key = order.lstrip("-")
    if key not in {column.key for column in COLUMNS}:
        return list(rows)

    def value(row: Row) -> Any:
        found = getattr(row, key)
        return found.casefold() if isinstance(found, str) else found

    known = [row for row in rows if getattr(row, key) is not None]
    unknown = [row for row in rows if getattr(row, key) is None]
    return sorted(known, key=value, reverse=order.startswith("-")) + unknown
