"""The pieces of an exported list of benchmarks, page after page, and of an exported comparison."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson

from api.state import State
from shared.db.benchmarks.pages import BenchmarkFilter, ListedBenchmark, Position
from shared.exports import comparison_columns, csv_table
from shared.exports.benchmark_columns import NAMES, row_of
from shared.exports.names import TableFormat

BENCHMARKS_AT_ONCE = 200


async def list_pieces(parts: State, where: BenchmarkFilter, format_name: TableFormat) -> AsyncIterator[bytes]:
    """Newest first. Benchmarks that are added meanwhile are not in it."""
    if format_name == "csv":
        yield csv_table.header(NAMES)
    before: Position | None = None
    while True:
        page = await parts.benchmark_pages.page(where, before=before, limit=BENCHMARKS_AT_ONCE)
        yield await asyncio.to_thread(_written, page.items, format_name)
        before = page.next
        if before is None:
            return


def _written(items: Sequence[ListedBenchmark], format_name: TableFormat) -> bytes:
    rows = [row_of(item.benchmark) for item in items]
    amount = NAMES.index("cost_usd")
    for row in rows:
        if row[amount] is not None:
            # With all its digits, and not as a text.
            row[amount] = orjson.Fragment(row[amount])
    return _table(NAMES, rows, format_name)


async def comparison_pieces(document: Mapping[str, Any], format_name: TableFormat) -> AsyncIterator[bytes]:
    """A document of `GET /compare` as a table."""
    if format_name == "csv":
        yield csv_table.header(comparison_columns.NAMES)
    yield _table(comparison_columns.NAMES, list(comparison_columns.rows_of(document)), format_name)


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]], format_name: TableFormat) -> bytes:
    if format_name == "csv":
        return csv_table.plain_rows(rows)
    dumped = (orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    return b"".join(dumped)
