"""Checked results of an import on the disk, until they are stored."""

import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import msgspec

from shared.exports.imported import ResultIn

# Results that are stored together.
RESULTS_AT_ONCE = 500

_NAMES = tuple(ResultIn.model_fields)
_AMOUNTS = ("cost_usd", "provider_cost_usd")

Rows = list[dict[str, Any]]


class PackedResults:
    """Rows of the table of results, without ids. Can be gone through more than once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sizes: list[int] = []
        self._waiting: list[bytes] = []
        self._digest = hashlib.sha256()
        self.count = 0

    def add(self, row: dict[str, Any]) -> None:
        """Takes a row. What is None is left out, so that the digest stays the same when columns are added."""
        data = msgspec.msgpack.encode({name: value for name, value in row.items() if value is not None})
        self._digest.update(data)
        self._waiting.append(data)
        self.count += 1
        if len(self._waiting) == RESULTS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Writes what is in memory."""
        if self._waiting:
            # The head of an array in MessagePack.
            data = b"\xdc" + len(self._waiting).to_bytes(2, "big") + b"".join(self._waiting)
            self._file.write(data)
            self._sizes.append(len(data))
            self._waiting = []

    @property
    def digest(self) -> str:
        """Of all rows in their order."""
        return self._digest.hexdigest()

    def blocks(self) -> Iterator[Callable[[], Rows]]:
        """Functions that each read the next block. They are for a thread."""
        self._file.seek(0)
        for size in self._sizes:
            yield lambda size=size: _unpacked(self._file.read(size))  # type: ignore[misc]


def _unpacked(data: bytes) -> Rows:
    rows = []
    for packed in msgspec.msgpack.decode(data):
        # All rows of one statement have the same columns.
        row = {name: packed.get(name) for name in _NAMES}
        for name in _AMOUNTS:
            if row[name] is not None:
                row[name] = Decimal(row[name])
        rows.append(row)
    return rows
