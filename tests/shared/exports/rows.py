"""Raw columns as the database returns them, for these tests."""

from typing import Any

from shared.exports.cells import Cells, cells_of
from shared.exports.columns import Column, columns_with
from shared.exports.names import Part
from tests.shared.db.rows import METRICS

AT = "2025-01-15T10:30:00.123456Z"
ALL_PARTS: tuple[Part, ...] = ("prompt", "response", "reasoning", "timeline")


def raw_columns(*rows: dict[str, Any]) -> dict[str, list[Any]]:
    """One row of each; what it does not name is that of a request without oddities."""
    usual: dict[str, Any] = {
        **dict.fromkeys(column.name for column in columns_with(ALL_PARTS) if not column.name.startswith("error")),
        **METRICS,
        "prompt_index": 0,
        "repetition": 0,
        "warmup": 0,
        "outcome": "succeeded",
        "scheduled_at": AT,
        "sent_at": AT,
        "ended_at": AT,
        "connection_reused": 1,
        "error": None,
        "flags": "[]",
    }
    whole = [{"id": number + 1, **usual, **row} for number, row in enumerate(rows)]
    for number, row in enumerate(whole):
        row["id"] = number + 1
    return {name: [row[name] for row in whole] for name in usual | {"id": 0}}


def table(*rows: dict[str, Any], parts: tuple[Part, ...] = ()) -> tuple[tuple[Column, ...], Cells]:
    """Columns and cells of benchmark 7."""
    columns = tuple(columns_with(parts))
    return columns, cells_of(raw_columns(*rows), columns, 7)
