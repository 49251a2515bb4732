"""CSV by RFC 4180 that spreadsheets open as it is meant: UTF-8 with a mark, and no text that they run as a formula.

Texts and instants stand in quotes, numbers and booleans do not, and unknown is an empty cell.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from shared.exports.cells import Cells
from shared.exports.columns import Column
from shared.exports.events import events_text

MEDIA_TYPE = "text/csv; charset=utf-8"
# Excel reads a file without it in the system's old character set.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A spreadsheet takes a text that begins with one of these for a formula, or drops the white space before one. The last
# four are full-width forms, which Excel converts in East Asian locales.
FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
# What JSON writes in another way than CSV.
_ESCAPED = re.compile(r'["\\\x00-\x1f]')


def header(names: Iterable[str]) -> bytes:
    """The first bytes of a file: the mark and the names."""
    return BYTE_ORDER_MARK + ",".join(names).encode() + b"\r\n"


def rows(columns: Sequence[Column], cells: Cells) -> bytes:
    """Rows of these columns."""
    return _written([_shown(column, values) for column, values in zip(columns, cells, strict=True)])


def plain_rows(table: Sequence[Sequence[Any]]) -> bytes:
    """Rows whose cells are numbers, booleans, texts or None, of whatever columns."""
    return _written([_texts(values) for values in zip(*table, strict=True)])


def small_table(names: Sequence[str], table: Iterable[Sequence[Any]]) -> str:
    """A table behind a figure: without the mark, and texts stand in quotes only if they must."""
    text = io.StringIO()
    csv.writer(text).writerows([_inert_cells(row) for row in (names, *table)])
    return text.getvalue()


def inert(text: str) -> str:
    """The text, after an apostrophe if a spreadsheet would run it."""
    return f"'{text}" if text and text[0] in FORMULA_STARTS else text


def _inert_cells(row: Sequence[Any]) -> list[Any]:
    return [inert(cell) if isinstance(cell, str) else cell for cell in row]


def words_text(words: str | None) -> str:
    """The words of a JSON array, separated by spaces."""
    return "" if words is None or words == "[]" else " ".join(orjson.loads(words))


def _shown(column: Column, values: Sequence[Any]) -> Sequence[Any]:
    if column.kind == "text":
        return _texts(values)
    if column.kind == "words":
        return _texts([words_text(value) for value in values])
    if column.kind == "events":
        return [None if value is None else events_text(value) for value in values]
    if column.kind == "usd":
        return [None if value is None else orjson.Fragment(value) for value in values]
    # Numbers are what they are: -5 and -0.5 stay numbers. Instants begin with a digit.
    return values


def _texts(values: Sequence[Any]) -> Sequence[Any]:
    # Most columns have few different texts.
    shown = {value: _text(value) for value in set(values) if isinstance(value, str)}
    return [shown[value] if isinstance(value, str) else value for value in values]


def _text(value: str) -> Any:
    text = inert(value)
    if _ESCAPED.search(text) is None:
        return text
    quoted = text.replace('"', '""')
    return orjson.Fragment(f'"{quoted}"')


def _written(columns: Sequence[Sequence[Any]]) -> bytes:
    """The rows of these columns. `csv.writer` takes five times as long as this way through JSON.

    Only what is outside of quotes is changed. Every second part between quotes is, a doubled quote included.
    """
    table = list(zip(*columns, strict=True))
    if not table:
        return b""
    parts = orjson.dumps(table)[2:-2].split(b'"')
    outside = b"\0".join(parts[::2]).replace(b"null", b"").replace(b"],[", b"\r\n")
    parts[::2] = outside.split(b"\0")
    return b'"'.join(parts) + b"\r\n"
