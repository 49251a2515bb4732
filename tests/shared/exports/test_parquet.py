"""Parquet files are read by another implementation: that of Arrow's Rust libraries."""

import io
from datetime import UTC, datetime
from typing import Any

from arro3.core import DataType
from arro3.io import read_parquet

from shared.exports.parquet import ParquetWriter
from tests.shared.exports.rows import ALL_PARTS, table


def read(*blocks: tuple[Any, Any], group_rows: int = 1_000) -> dict[str, list[Any]]:
    writer = ParquetWriter(blocks[0][0], group_rows)
    file = writer.begin() + b"".join(writer.block(cells) for _, cells in blocks) + writer.end()
    found = read_parquet(io.BytesIO(file)).read_all()
    return {name: [value.as_py() for value in found.column(name)] for name in found.column_names}


def test_every_value_comes_back_and_unknown_is_null() -> None:
    found = read(
        table(
            {"warmup": 1, "ttft_ms": None, "response": "=1 \n🦊", "flags": '["buffered"]', "cost_usd": 10_750_000},
            {"ttft_ms": 2.5, "stage": -3, "input_tokens": 2**62, "response": ""},
            parts=ALL_PARTS,
        )
    )
    assert found["benchmark_id"] == [7, 7]
    assert found["warmup"] == [True, False]
    assert (found["ttft_ms"], found["stage"], found["input_tokens"]) == ([None, 2.5], [None, -3], [None, 2**62])
    # Parquet is no table of a spreadsheet: texts are as they are.
    assert (found["response"], found["flags"]) == (["=1 \n🦊", ""], ["buffered", ""])
    assert (found["cost_usd"], found["timeline"]) == ([0.00001075, None], [None, None])
    assert found["sent_at"][0].astimezone(UTC) == datetime(2025, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)


def test_rows_of_several_groups_and_blocks_stay_in_order() -> None:
    blocks = [table(*({"stage": begin + number} for number in range(9))) for begin in range(0, 63, 9)]
    assert read(*blocks, group_rows=20)["stage"] == list(range(63))


def test_a_group_ends_with_its_bytes_and_leaves_at_once() -> None:
    """So memory stays flat, however long the answers are."""
    columns, cells = table(*({"response": "x" * 1_000_000} for _ in range(3)), parts=ALL_PARTS)
    writer = ParquetWriter(columns)
    pieces = [writer.begin(), *(writer.block(cells) for _ in range(7)), writer.end()]
    assert pieces[0] == b"PAR1"
    # 9 MB are a group.
    assert [bool(piece) for piece in pieces[1:]] == [False, False, True, False, False, True, False, True]
    assert len(read_parquet(io.BytesIO(b"".join(pieces))).read_all()) == 21


def test_each_kind_of_column_has_its_type() -> None:
    columns, cells = table({}, parts=ALL_PARTS)
    writer = ParquetWriter(columns)
    schema = read_parquet(io.BytesIO(writer.begin() + writer.block(cells) + writer.end())).schema
    types = {column.kind: schema.field(column.name).type for column in columns}
    assert types == {
        "integer": DataType.int64(),
        "number": DataType.float64(),
        "usd": DataType.float64(),
        "boolean": DataType.bool(),
        "instant": DataType.timestamp("us", tz="UTC"),
        "text": DataType.string(),
        "words": DataType.string(),
        "events": DataType.string(),
    }
    assert all(schema.field(column.name).nullable for column in columns)


def test_a_file_without_rows_has_its_columns() -> None:
    writer = ParquetWriter(table({})[0])
    found = read_parquet(io.BytesIO(writer.begin() + writer.end())).read_all()
    assert found.num_rows == 0
    assert "ttft_ms" in found.column_names
