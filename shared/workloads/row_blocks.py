"""Rows in compressed blocks, so that a million rows stay small in the database and in a worker's memory."""

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

import msgspec

from shared.workloads.rows import AnyRow, R

# A block ends when its rows have this many bytes as JSON. One row may be longer.
BLOCK_BYTES = 65_536
# Decompressed blocks that a reader keeps. Rows in turn need one; rows at random find few of theirs kept.
BLOCKS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows in sequence. `first`: the number of the first one; `rows`: how many."""

    first: int
    rows: int
    data: bytes


class BlockWriter:
    """Add rows in sequence; take the blocks that are full."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._lines: list[bytes] = []
        self._bytes = 0
        self._first = 0

    def add(self, row: AnyRow) -> Block | None:
        """The block that this row fills, if it does."""
        line = self._encoder.encode(row)
        self._lines.append(line)
        self._bytes += len(line) + 1
        return self.end() if self._bytes >= BLOCK_BYTES else None

    def end(self) -> Block | None:
        """The block of the rows since the last one; None if there are none."""
        if not self._lines:
            return None
        block = Block(self._first, len(self._lines), zlib.compress(b"\n".join(self._lines), 6))
        self._first += len(self._lines)
        self._lines, self._bytes = [], 0
        return block


def block_lines(data: bytes) -> list[bytes]:
    """The rows of a block, each as JSON."""
    return zlib.decompress(data).split(b"\n")


class BlockRows(Generic[R]):
    """`DatasetRows` over blocks. Keeps them compressed, and the last few that were read in clear."""

    def __init__(self, blocks: Sequence[Block], kind: type[R], turns: int) -> None:
        """`blocks`: all of a dataset, in sequence. `kind`: the class of its rows. `turns`: of all rows."""
        self._data = [block.data for block in blocks]
        self._firsts = [block.first for block in blocks]
        self._rows = sum(block.rows for block in blocks)
        self._decoder = msgspec.json.Decoder(kind)
        self._kept: dict[int, list[bytes]] = {}
        self.turns = turns

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[R]:
        return (self._decoder.decode(line) for data in self._data for line in block_lines(data))

    def row(self, number: int) -> R:
        """Raises IndexError for a number outside."""
        if not 0 <= number < self._rows:
            raise IndexError(number)
        index = bisect_right(self._firsts, number) - 1
        lines = self._kept.pop(index, None)
        if lines is None:
            lines = block_lines(self._data[index])
            if len(self._kept) >= BLOCKS_KEPT:
                # The oldest: a dict keeps the order in which blocks were last used.
                del self._kept[next(iter(self._kept))]
        self._kept[index] = lines
        return self._decoder.decode(lines[number - self._firsts[index]])
