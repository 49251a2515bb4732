"""CSV is read back as it was, by a strict reader, and no text of it is a formula."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.exports import csv_table
from shared.numbers.timeline import EventKind, TimelineEvent, encode
from tests.shared.exports.rows import ALL_PARTS, AT, table

HOSTILE = [
    '=HYPERLINK("http://evil.example","click")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
]


def written(*rows: dict[str, Any], parts: tuple[Any, ...] = ()) -> bytes:
    columns, cells = table(*rows, parts=parts)
    return csv_table.header(column.name for column in columns) + csv_table.rows(columns, cells)


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def test_a_row_shows_each_kind_of_value_and_unknown_as_empty() -> None:
    error = '{"kind":"rate_limited","message":"slow, down","http_status":429,"phase":"connect"}'
    (row,) = read(
        written({"error": error, "flags": '["buffered","left_open"]', "cost_usd": 10_750_000, "queue_ms": -0.5})
    )
    assert row["benchmark_id"] == "7"
    assert (row["id"], row["warmup"], row["connection_reused"]) == ("1", "false", "true")
    assert (row["sent_at"], row["ttft_ms"], row["connect_ms"]) == (AT, "100.0", "")
    assert (row["cost_usd"], row["provider_cost_usd"], row["queue_ms"]) == ("0.00001075", "", "-0.5")
    assert (row["error_kind"], row["error_message"], row["error_http_status"]) == ("rate_limited", "slow, down", "429")
    assert (row["error_retry_after_s"], row["flags"]) == ("", "buffered left_open")


def test_the_file_begins_with_a_mark_and_ends_lines_as_the_rfc_says() -> None:
    data = written({}, {})
    assert data.startswith(b"\xef\xbb\xbfbenchmark_id,id,")
    assert data.count(b"\r\n") == 3
    assert data.endswith(b"\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    (row,) = read(written({"response": text, "served_model": text}, parts=("response",)))
    assert row["response"] == row["served_model"] == f"'{text}"


def test_every_text_column_is_made_inert() -> None:
    columns, _ = table({}, parts=ALL_PARTS)
    texts = [column.name for column in columns if column.kind == "text" and not column.name.startswith("error_")]
    error = '{"kind":"=1","message":"=1","phase":"=1","provider_code":"=1"}'
    (row,) = read(written({**dict.fromkeys(texts, "=1"), "error": error, "flags": '["=1"]'}, parts=ALL_PARTS))
    inert = [*texts, "error_kind", "error_message", "error_phase", "error_provider_code", "flags"]
    assert {name: row[name] for name in inert} == dict.fromkeys(inert, "'=1")


def test_texts_that_look_like_the_format_stay_texts() -> None:
    texts = [
        "null",
        'a"b',
        '"',
        '""',
        "a,null,b",
        "],[",
        '"],["',
        "a\r\nb",
        "back\\slash",
        "\\",
        "",
        "a\tb",
        "🦊 ’",
        "[]",
    ]
    rows = read(written(*({"response": text, "finish_reason": "null"} for text in texts), parts=("response",)))
    assert [row["response"] for row in rows] == texts
    assert {row["finish_reason"] for row in rows} == {"null"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5))
def test_any_text_is_read_back(texts: list[str]) -> None:
    rows = read(written(*({"response": text, "error": None} for text in texts), parts=("response",)))
    assert [row["response"] for row in rows] == [csv_table.inert(text) for text in texts]
    assert [row["id"] for row in rows] == [str(number + 1) for number in range(len(texts))]


def test_a_timeline_is_one_cell() -> None:
    timeline = encode([TimelineEvent(1_500, EventKind.CONTENT, 6), TimelineEvent(2_000, EventKind.END, 0)])
    (row,) = read(written({"timeline": timeline}, parts=("timeline",)))
    assert row["timeline"] == "1.5:content:6 2.0:end:0"


def test_amounts_of_either_database_are_written_with_all_their_digits() -> None:
    rows = read(
        written({"cost_usd": 1}, {"cost_usd": Decimal("0.000000000001")}, {"cost_usd": 0}, {"cost_usd": 5 * 10**12})
    )
    assert [row["cost_usd"] for row in rows] == ["0.000000000001", "0.000000000001", "0", "5"]


def test_plain_rows_take_values_of_any_kind() -> None:
    assert csv_table.plain_rows([(1, None, "=1"), (-2.5, True, 'a"b')]) == b'1,,"\'=1"\r\n-2.5,true,"a""b"\r\n'
    assert csv_table.plain_rows([]) == b""


def test_a_small_table_has_no_formula_and_keeps_its_numbers() -> None:
    text = csv_table.small_table(("kind", "+shift, ms"), [("=HYPERLINK(1)", -5), ('a "b", c', None), ("plain", -0.5)])
    assert text == 'kind,"\'+shift, ms"\r\n\'=HYPERLINK(1),-5\r\n"a ""b"", c",\r\nplain,-0.5\r\n'
