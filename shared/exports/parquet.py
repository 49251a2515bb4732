"""Writes Parquet files of exported columns, group by group, without holding the file. ADR 18 says why it is our own.

Only what flat tables need: optional columns, plain encoding, gzip, one page for each column of a group. Every reader
knows these since version 1 of the format. Source: https://parquet.apache.org/docs/file-format/
"""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.exports.cells import Cells
from shared.exports.columns import Column, Kind
from shared.exports.csv_table import words_text
from shared.exports.events import events_text
from shared.exports.thrift import I32, Value, encode, varint

MAGIC = b"PAR1"
# A group ends when it has so many rows, or so many bytes before compression.
GROUP_ROWS, GROUP_BYTES = 50_000, 16_000_000
# Higher levels take several times as long for a tenth of the size.
_LEVEL = 1
_GZIP = zlib.MAX_WBITS + 16

# The format's numbers for types, encodings and codecs.
_BOOLEAN, _INT64, _DOUBLE, _BYTE_ARRAY = I32(0), I32(2), I32(5), I32(6)
_OPTIONAL, _PLAIN, _RLE, _GZIP_CODEC, _DATA_PAGE = I32(1), I32(0), I32(3), I32(2), I32(0)
_UTF8, _TIMESTAMP_MICROS = I32(0), I32(10)
_STRING_TYPE: Value = {1: {}}
# In UTC, in microseconds.
_TIMESTAMP_TYPE: Value = {8: {1: True, 2: {2: {}}}}

_TYPES: dict[Kind, tuple[I32, I32 | None, "Value | None"]] = {
    "integer": (_INT64, None, None),
    "number": (_DOUBLE, None, None),
    "usd": (_DOUBLE, None, None),
    "boolean": (_BOOLEAN, None, None),
    "instant": (_INT64, _TIMESTAMP_MICROS, _TIMESTAMP_TYPE),
    "text": (_BYTE_ARRAY, _UTF8, _STRING_TYPE),
    "words": (_BYTE_ARRAY, _UTF8, _STRING_TYPE),
    "events": (_BYTE_ARRAY, _UTF8, _STRING_TYPE),
}


class ParquetWriter:
    """Writes one file: first `begin`, then each block of cells, then `end`."""

    def __init__(self, columns: Sequence[Column], group_rows: int = GROUP_ROWS) -> None:
        self._columns = [_ColumnChunk(column) for column in columns]
        self._group_rows = group_rows
        self._offset = len(MAGIC)
        self._rows = self._pending = 0
        self._groups: list[Value] = []

    def begin(self) -> bytes:
        return MAGIC

    def block(self, cells: Cells) -> bytes:
        """Takes rows. Returns a group when one is full, otherwise nothing."""
        for column, values in zip(self._columns, cells, strict=True):
            column.add(values)
        self._pending += len(cells[0])
        full = self._pending >= self._group_rows or sum(column.size for column in self._columns) >= GROUP_BYTES
        return self._group() if full else b""

    def end(self) -> bytes:
        """The rest of the rows, and the description of the file."""
        group = self._group() if self._pending else b""
        schema: list[Value] = [{4: "schema", 5: I32(len(self._columns))}]
        schema += [column.schema() for column in self._columns]
        footer = encode({1: I32(1), 2: schema, 3: self._rows, 4: self._groups, 6: "llmbench"})
        return group + footer + len(footer).to_bytes(4, "little") + MAGIC

    def _group(self) -> bytes:
        pieces: list[bytes] = []
        chunks: list[Value] = []
        total = 0
        for column in self._columns:
            page, chunk, uncompressed = column.take(self._pending, self._offset)
            pieces.append(page)
            chunks.append(chunk)
            self._offset += len(page)
            total += uncompressed
        self._groups.append({1: chunks, 2: total, 3: self._pending})
        self._rows += self._pending
        self._pending = 0
        return b"".join(pieces)


class _ColumnChunk:
    """The values of one column in the group that is being made."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self._type, self._converted, self._logical = _TYPES[column.kind]
        self._known: list[Any] = []
        self._values: list[Any] = []
        self.size = 0

    def schema(self) -> Value:
        return {1: self._type, 3: _OPTIONAL, 4: self._column.name, 6: self._converted, 10: self._logical}

    def add(self, values: Sequence[Any]) -> None:
        """Takes cells, None for unknown."""
        self._known.append(np.fromiter((value is not None for value in values), np.bool_, len(values)))
        known = [value for value in values if value is not None]
        encoded = _encoded(self._column.kind, known)
        self._values.append(encoded)
        self.size += len(encoded)

    def take(self, rows: int, offset: int) -> tuple[bytes, Value, int]:
        """(page with its header, description of the chunk, bytes before compression). The column is empty then."""
        known = np.packbits(np.concatenate(self._known), bitorder="little").tobytes()
        # One run of bits, in groups of eight.
        levels = varint(len(known) << 1 | 1) + known
        if self._column.kind == "boolean":
            values = np.packbits(np.concatenate(self._values), bitorder="little").tobytes()
        else:
            values = b"".join(self._values)
        body = len(levels).to_bytes(4, "little") + levels + values
        packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        packed = packing.compress(body) + packing.flush()
        header = encode(
            {
                1: _DATA_PAGE,
                2: I32(len(body)),
                3: I32(len(packed)),
                5: {1: I32(rows), 2: _PLAIN, 3: _RLE, 4: _RLE},
            }
        )
        uncompressed = len(header) + len(body)
        chunk: Value = {
            2: offset,
            3: {
                1: self._type,
                2: [_PLAIN, _RLE],
                3: [self._column.name],
                4: _GZIP_CODEC,
                5: rows,
                6: uncompressed,
                7: len(header) + len(packed),
                9: offset,
            },
        }
        self._known, self._values, self.size = [], [], 0
        return header + packed, chunk, uncompressed


def _encoded(kind: Kind, values: Sequence[Any]) -> Any:
    """The values in plain encoding; booleans as an array, which becomes bits later."""
    if kind == "integer":
        return np.array(values, "<i8").tobytes()
    if kind in ("number", "usd"):
        return np.array([float(value) for value in values], "<f8").tobytes()
    if kind == "boolean":
        return np.array(values, np.bool_)
    if kind == "instant":
        return np.array([value[:-1] for value in values], "datetime64[us]").astype("<i8").tobytes()
    if kind == "words":
        values = [words_text(value) for value in values]
    elif kind == "events":
        values = [events_text(value) for value in values]
    texts = [value.encode() for value in values]
    return b"".join(part for text in texts for part in (len(text).to_bytes(4, "little"), text))
