"""Files are split without holding more than a line or an item, and what cannot be read has a line."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.workloads.formats.lines import MAX_LINE_BYTES, ArrayItems, numbered_lines
from shared.workloads.formats.report import Unreadable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


class Slow(io.BytesIO):
    """Gives a few bytes at a time, so that every boundary falls into every token."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(3)


@pytest.mark.heavy
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_the_items_of_an_array_are_found_at_any_boundary(items: list[object], indent: int | None, plain: bool) -> None:
    text = json.dumps(items, indent=indent, ensure_ascii=plain).encode("utf-8", "surrogatepass")
    found = [json.loads(item) for _, item in ArrayItems(Slow(text).read)]
    assert found == items


def test_items_have_the_line_on_which_they_begin() -> None:
    text = b'\xef\xbb\xbf [\n{"a":\n1},\n\n{"b": "}\\"]"} ]\n'
    assert list(ArrayItems(io.BytesIO(text).read)) == [(2, b'{"a":\n1}'), (5, b'{"b": "}\\"]"}')]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (b"", 1, "ends within the array"),
        (b"{}", 1, "must begin with ["),
        (b"[\n{}\n", 3, "ends within the array"),
        (b"[{}\n{}]", 2, "must have , or ] after an item"),
        (b'[{"a": "x]', 1, "begins an item that does not end"),
        (b"[{}]\nx", 2, "has something after the end"),
        (b"[{},\n1]", 2, "must have an object"),
        (b"[" + b"[" * (MAX_LINE_BYTES + 70_000), 1, "an item of more than"),
    ],
)
def test_an_array_that_cannot_be_read_says_where(text: bytes, line: int, message: str) -> None:
    with pytest.raises(Unreadable) as raised:
        list(ArrayItems(io.BytesIO(text).read))
    assert raised.value.error.line == line
    assert message in raised.value.error.message


def test_a_huge_line_is_not_read_to_its_end() -> None:
    file = io.BytesIO(b"ok\n" + b"x" * (3 * MAX_LINE_BYTES))
    lines = numbered_lines(file.readline)
    assert next(lines) == (1, b"ok\n")
    with pytest.raises(Unreadable, match="is longer than 4,000,000 bytes"):
        next(lines)
    assert file.tell() <= MAX_LINE_BYTES + 4


def test_a_byte_order_mark_belongs_to_no_line() -> None:
    assert list(numbered_lines(io.BytesIO(b"\xef\xbb\xbfa\nb").readline)) == [(1, b"a\n"), (2, b"b")]
