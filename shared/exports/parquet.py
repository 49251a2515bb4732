"""Writes Parquet files of exported columns with pyarrow, group by group, without holding the file. ADR 18 says why.

pyarrow takes tens of megabytes of memory, so this module is imported only if a Parquet file is asked for.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pyarrow
import pyarrow.parquet

from shared.exports.cells import Cells
from shared.exports.columns import PART_COLUMNS, Column, Kind
from shared.exports.csv_table import words_text
from shared.exports.events import events_text

# A group ends when it has so many rows, or so many bytes before compression.
GROUP_ROWS, GROUP_BYTES = 10_000, 8_000_000
# Gives memory back to the system at once; pyarrow's usual pool keeps some 20 MB for later.
_POOL = pyarrow.system_memory_pool()

_INSTANT = pyarrow.timestamp("us", tz="UTC")
_TYPES: Mapping[Kind, Any] = MappingProxyType(
    {
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "usd": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "instant": _INSTANT,
        "text": pyarrow.string(),
        "words": pyarrow.string(),
        "events": pyarrow.string(),
    }
)
# Makes of a known cell what Arrow takes. Cells of other kinds are that already.
_CONVERTED: Mapping[Kind, Callable[[Any], Any]] = MappingProxyType(
    {"number": float, "usd": float, "words": words_text, "events": events_text}
)


class ParquetWriter:
    """Writes one file: first `begin`, then each block of cells, then `end`."""

    def __init__(self, columns: Sequence[Column], group_rows: int = GROUP_ROWS) -> None:
        self._columns = columns
        self._schema = pyarrow.schema([(column.name, _TYPES[column.kind]) for column in columns])
        self._written = _Pieces()
        # Long texts seldom repeat, and the least and greatest of them tell a reader nothing.
        short = [column.name for column in columns if column not in PART_COLUMNS.values()]
        self._writer = pyarrow.parquet.ParquetWriter(
            self._written,
            self._schema,
            compression="zstd",
            use_dictionary=short,
            write_statistics=short,
            store_schema=False,
            memory_pool=_POOL,
        )
        self._group_rows = group_rows
        self._blocks: list[Any] = []
        self._rows = self._bytes = 0

    def begin(self) -> bytes:
        return self._written.take()

    def block(self, cells: Cells) -> bytes:
        """Takes rows. Returns a group when one is full, otherwise nothing."""
        arrays = [_array(column.kind, values) for column, values in zip(self._columns, cells, strict=True)]
        block = pyarrow.record_batch(arrays, schema=self._schema)
        self._blocks.append(block)
        self._rows += block.num_rows
        self._bytes += block.nbytes
        if self._rows >= self._group_rows or self._bytes >= GROUP_BYTES:
            self._write_group()
        return self._written.take()

    def end(self) -> bytes:
        """The rest of the rows, and the description of the file."""
        if self._blocks:
            self._write_group()
        self._writer.close()
        return self._written.take()

    def _write_group(self) -> None:
        self._writer.write_table(pyarrow.Table.from_batches(self._blocks), row_group_size=self._rows)
        self._blocks.clear()
        self._rows = self._bytes = 0


class _Pieces(io.RawIOBase):
    """The file that pyarrow writes to. It keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any, /) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _array(kind: Kind, values: Sequence[Any]) -> Any:
    if kind == "instant":
        return pyarrow.array(values, pyarrow.string(), memory_pool=_POOL).cast(_INSTANT, memory_pool=_POOL)
    if convert := _CONVERTED.get(kind):
        values = [None if value is None else convert(value) for value in values]
    return pyarrow.array(values, _TYPES[kind], memory_pool=_POOL)
