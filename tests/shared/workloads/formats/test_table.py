"""CSV by RFC 4180: quotes, line breaks in fields, a byte order mark, and what is wrong with which line."""

import pytest

from shared.workloads.rows import Row, Turn
from tests.shared.workloads.formats.read import errors, read


def test_quoted_fields_may_hold_commas_quotes_and_line_breaks() -> None:
    content = '\ufeffid,prompt,max_tokens\r\n1,"a, ""b""\r\nc",5\r\n\r\n2,d,\r\n'
    assert read(content, "csv")[0] == [Row((Turn('a, "b"\r\nc', 5),)), Row((Turn("d"),))]


def test_the_column_is_named_and_a_system_text_may_stand_beside_it() -> None:
    content = "q,system,output_tokens\nwhy?,Be brief.,7\nhow?,,\n"
    rows, facts = read(content, "csv", column="q")
    assert rows == [Row((Turn("why?", 7),), "Be brief."), Row((Turn("how?"),))]
    assert facts.rows == facts.turns == 2


def test_a_long_field_is_read_whole() -> None:
    assert read("prompt\n" + "x" * 1_000_000, "csv")[0] == [Row((Turn("x" * 1_000_000),))]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a,b\n1,2\n", 1, "has no column prompt; it has a, b"),
        ("prompt,prompt\nx,y\n", 1, "names the column prompt more than once"),
        ("prompt,a, a ,a\nx,y,z,w\n", 1, "names the column a more than once"),
        ("prompt\n\x00\n", 2, "prompt: must not contain NUL"),
        ("prompt,x\na\n", 2, "has 1 fields, and the first line names 2"),
        ('prompt,x\na,1\n"",2\n', 3, "prompt: must not be empty"),
        ('prompt\n"a\nb\n', 3, "is not CSV: unexpected end of data"),
        ('prompt\n"a"b\n', 2, "is not CSV: ',' expected after '\"'"),
        ("prompt,max_tokens\na,x\n", 2, "max_tokens: must be a whole number"),
        ("prompt,max_tokens\na,1_0\n", 2, "max_tokens: must be a whole number"),
        ("prompt,max_tokens\na," + "9" * 5_000, 2, "max_tokens: must be a whole number"),
        ("prompt" + "," * 3_000_000, 1, "has 3,000,001 columns; at most 1,000 are read"),
        ("prompt\n" + "," * 3_000_000, 2, "has 3,000,001 fields, and the first line names 1"),
        ('prompt\n"' + "x\n" * 2_100_000, 2_000_001, "is in a record of more than 4,000,000 bytes"),
    ],
)
def test_a_wrong_line_has_its_number(content: str, line: int, message: str) -> None:
    ((found, text),) = errors(content, "csv")
    assert (found, message in text) == (line, True), text


def test_text_that_is_not_utf_8_ends_the_reading_at_its_line() -> None:
    assert errors(b"prompt\na\n\xff\nb\n", "csv") == [(3, "is not valid UTF-8: byte 0xff at byte 1 of the line")]
