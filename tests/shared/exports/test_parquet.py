"""Parquet files are read by another implementation: that of Arrow's Rust libraries."""

import io
from datetime import UTC, datetime
from typing import Any

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


def test_a_file_without_rows_has_its_columns() -> None:
    writer = ParquetWriter(table({})[0])
    found = read_parquet(io.BytesIO(writer.begin() + writer.end())).read_all()
    assert found.num_rows == 0
    assert "ttft_ms" in found.column_names
