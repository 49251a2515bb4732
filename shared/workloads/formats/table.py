"""Reads CSV files by RFC 4180: prompts of a named column, and records of traces."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.text import refuse_unstorable
from shared.workloads.formats.jsonl import checked_tokens
from shared.workloads.formats.lines import MAX_LINE_BYTES, NumberedLine, text_of
from shared.workloads.formats.report import Report, Unreadable
from shared.workloads.rows import Row, Turn

MAX_COLUMNS = 1_000
_LIMITS = ("max_tokens", "output_tokens")

# The module's own limit is 131,072 for the whole process. `_Source` bounds records, so that this one is never reached.
csv.field_size_limit(MAX_LINE_BYTES + 1)

Record = tuple[int, Mapping[str, str]]


def read_csv(lines: Iterable[NumberedLine], report: Report, column: str) -> Iterator[Row]:
    """The row of each record. Columns `system` and `max_tokens` (or `output_tokens`) are read too if there are any."""
    for number, record in records(lines, report, [column]):
        try:
            text, system = record[column], record.get("system") or None
            if not text:
                raise ValueError(f"{column}: must not be empty")
            for name, value in ((column, text), ("system", system)):
                _storable(name, value)
            yield Row((Turn(text, _limit(record)),), system)
        except ValueError as exc:
            report.wrong(number, str(exc))


def _storable(name: str, value: str | None) -> None:
    try:
        refuse_unstorable(value or "")
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


def _limit(record: Mapping[str, str]) -> int | None:
    for name in _LIMITS:
        if value := record.get(name, "").strip():
            return checked_tokens(whole_number(value, name), name)
    return None


def whole_number(value: str, name: str) -> int:
    """Raises ValueError that names the column."""
    text = value.strip()
    # int() takes underscores and other scripts' digits, and needs long for very long texts.
    if not (text.isascii() and text.lstrip("-").isdecimal() and len(text) <= 19):
        raise ValueError(f"{name}: must be a whole number")
    return int(text)


def records(lines: Iterable[NumberedLine], report: Report, needed: Iterable[str]) -> Iterator[Record]:
    """(number of the line on which it ends, values by column) of each record. Blank lines are skipped.

    Raises Unreadable: behind a record that cannot be read, nobody knows where the next one begins.
    """
    source = _Source(lines)
    reader = csv.reader(source, strict=True)
    header = _next(reader, source)
    if header is None:
        return
    names = [name.strip() for name in header]
    if len(names) > MAX_COLUMNS:
        raise Unreadable(source.number, f"has {len(names):,} columns; at most {MAX_COLUMNS:,} are read")
    if twice := [name for name in dict.fromkeys(names) if name and names.count(name) > 1]:
        raise Unreadable(source.number, f"names the column {_shown(twice[:1])} more than once")
    if missing := [name for name in needed if name not in names]:
        raise Unreadable(source.number, f"has no column {' and '.join(missing)}; it has {_shown(names[:8])}")
    while (values := _next(reader, source)) is not None:
        if not values:
            continue
        if len(values) != len(names):
            report.wrong(source.number, f"has {len(values):,} fields, and the first line names {len(names):,}")
            continue
        yield source.number, dict(zip(names, values, strict=True))


def _shown(names: Sequence[str]) -> str:
    return ", ".join(ascii(name[:40])[1:-1] for name in names)


class _Source:
    """Lines as text for the `csv` module. Bounds what it reads for one record."""

    def __init__(self, lines: Iterable[NumberedLine]) -> None:
        self._lines = iter(lines)
        self.number = 1
        self.of_record = 0

    def __iter__(self) -> "_Source":
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        self.of_record += len(line)
        if self.of_record > MAX_LINE_BYTES:
            raise Unreadable(self.number, f"is in a record of more than {MAX_LINE_BYTES:,} bytes")
        return text_of(line, self.number)


def _next(reader: Any, source: _Source) -> list[str] | None:
    source.of_record = 0
    try:
        values: list[str] | None = next(reader, None)
    except csv.Error as exc:
        raise Unreadable(source.number, f"is not CSV: {exc}") from None
    return values
