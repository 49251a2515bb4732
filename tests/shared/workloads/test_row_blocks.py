"""Blocks hold rows small, and any row is found again."""

import random
import zlib
from collections.abc import Sequence

import pytest

from shared.workloads.row_blocks import BLOCK_BYTES, Block, BlockRows, BlockWriter
from shared.workloads.rows import AnyRow, Row, TraceRow, Turn


def blocks_of(rows: Sequence[AnyRow]) -> list[Block]:
    writer = BlockWriter()
    made = [writer.add(row) for row in rows]
    return [block for block in (*made, writer.end()) if block is not None]


def some_rows(count: int) -> list[Row]:
    return [Row((Turn(f"{number} " + "é\n" * (number % 500), number or None, 0.5),)) for number in range(count)]


def test_any_row_is_read_in_any_order() -> None:
    rows = some_rows(2_000)
    stored = BlockRows(blocks_of(rows), Row, 2_000)
    assert len(stored) == 2_000
    numbers = list(range(2_000))
    random.Random(1).shuffle(numbers)
    assert all(stored.row(number) == rows[number] for number in numbers)
    assert list(stored) == rows
    for outside in (-1, 2_000):
        with pytest.raises(IndexError):
            stored.row(outside)


def test_a_block_is_about_its_size_and_a_long_row_has_its_own() -> None:
    blocks = blocks_of([*some_rows(2_000), Row((Turn("x" * 3 * BLOCK_BYTES),))])
    sizes = [len(zlib.decompress(block.data)) for block in blocks]
    assert all(size < BLOCK_BYTES + 2_000 for size in sizes[:-1])
    assert blocks[-1].first + blocks[-1].rows == 2_001
    assert [block.first for block in blocks[1:]] == [block.first + block.rows for block in blocks[:-1]]


def test_rows_of_a_trace_keep_every_field() -> None:
    rows = [TraceRow(2**62, 10_000_000, 5, (2**62, -1)), TraceRow(0, 1, 1)]
    assert list(BlockRows(blocks_of(rows), TraceRow, 2)) == rows


def test_there_is_no_block_without_rows() -> None:
    assert BlockWriter().end() is None
    assert len(BlockRows([], Row, 0)) == 0
