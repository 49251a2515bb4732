"""Writes the tables of docs/exports.md from the columns: `make docs` pipes the page through it."""

import sys
from collections.abc import Iterable

from shared.exports.benchmark_columns import COLUMNS as LIST_COLUMNS
from shared.exports.columns import COLUMNS, PART_COLUMNS
from shared.exports.comparison_columns import COLUMNS as COMPARISON_COLUMNS
from shared.numbers.documentation import with_tables
from shared.numbers.metric import Definition


def with_column_tables(page: str) -> str:
    """The page with new tables of columns."""
    tables = {
        "results": COLUMNS,
        "parts": PART_COLUMNS.values(),
        "benchmarks": LIST_COLUMNS,
        "comparison": COMPARISON_COLUMNS,
    }
    return with_tables(page, {name: _table(columns) for name, columns in tables.items()})


def _table(columns: Iterable[Definition]) -> str:
    rows = [f"| `{item.name}` | {item.unit or '–'} | {item.definition} | {item.null_when} |" for item in columns]
    return "\n".join(["| column | unit | definition | empty when |", "|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(with_column_tables(sys.stdin.read()))
