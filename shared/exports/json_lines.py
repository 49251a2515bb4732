"""JSON Lines: one object for each row, with the names of the columns. Unknown is null."""

from collections.abc import Sequence
from typing import Any

import orjson

from shared.exports.cells import Cells
from shared.exports.columns import Column
from shared.exports.events import events_json

MEDIA_TYPE = "application/x-ndjson"


def lines(columns: Sequence[Column], cells: Cells) -> bytes:
    """One line for each row of these columns."""
    names = [column.name for column in columns]
    shown = [_shown(column, values) for column, values in zip(columns, cells, strict=True)]
    dumped = (
        orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
        for row in zip(*shown, strict=True)
    )
    return b"".join(dumped)


def _shown(column: Column, values: Sequence[Any]) -> Sequence[Any]:
    if column.kind in ("usd", "words"):
        # An amount is written with all its digits, which a float may not have.
        return [None if value is None else orjson.Fragment(value) for value in values]
    if column.kind == "events":
        return [None if value is None else orjson.Fragment(events_json(value)) for value in values]
    return values
