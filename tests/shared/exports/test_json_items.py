"""A JSON file is split into the parts that a parser of the whole would find."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.exports.json_items import MAX_DEPTH, NotJson, split

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def parts(text: str | bytes, most: int = 1_000_000) -> list[tuple[str, bytes]]:
    data = text.encode() if isinstance(text, str) else text
    return list(split(io.BytesIO(data), ("items",), most))


@given(st.dictionaries(st.sampled_from("abcde"), JSON), st.lists(JSON, max_size=4), st.sampled_from([None, 2]))
def test_all_parts_are_found_however_they_are_written(fields: dict[str, Any], items: list[Any], indent: int) -> None:
    text = json.dumps({**fields, "items": items}, indent=indent)
    found = [(name, json.loads(value)) for name, value in parts(text)]
    assert found == [*fields.items(), *(("items", item) for item in items)]


def test_parts_longer_than_a_read_are_whole() -> None:
    long = '\\"}{][' * 100_000
    text = json.dumps({"a": {"b": [long]}, "items": [long, 1, {"c": long}], "d": 2})
    found = parts(text, most=10_000_000)
    assert [name for name, _ in found] == ["a", "items", "items", "items", "d"]
    assert [json.loads(value) for _, value in found] == [{"b": [long]}, long, 1, {"c": long}, 2]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "  ",
            "[]",
            "1",
            '"a"',
            "{",
            '{"a"',
            '{"a":',
            '{"a":1',
            '{"a":"b',
            '{"a":"\\',
            '{"a":{"b":[}',
            '{"items":[',
        ),
        *('{"items":[1', '{"items":[1}', '{"items":{}}', '{"a":1}{', '{"a":1,}', "{a:1}", '{"a" 1}', '{"a":1,"a":2}'),
        *('{"a":}', '{"items":[,]}', '{"items":[1,]}', '{"a":' + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + "}"),
    ],
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        parts(text)


def test_a_part_that_is_too_large_is_refused_before_it_is_read_whole() -> None:
    file = io.BytesIO(b'{"items":["' + b"x" * 10_000_000)
    with pytest.raises(NotJson, match="more than 1,000 bytes"):
        list(split(file, ("items",), 1_000))
    assert file.tell() < 1_000_000
