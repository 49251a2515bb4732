"""The shape of a JSON body, checked on its bytes: whatever the pieces, the same verdict."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.http.json_bounds import MAX_DEPTH, MAX_MEMBERS, MAX_NAME_BYTES, MAX_VALUES, STEP_BYTES, JsonBounds, TooComplex

MAX_TEXT_BYTES = 20_000_000
TEXT = st.text(alphabet='ab"\\\\[]{},:\u00e9\U0001f600 \n', max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def verdict(raw: bytes, step: int | None = None) -> str | None:
    bounds = JsonBounds(MAX_TEXT_BYTES)
    try:
        for begin in range(0, len(raw), step or 2**30):
            bounds.feed(raw[begin : begin + (step or 2**30)])
    except TooComplex as exc:
        return str(exc)
    return None


def counted(value: Any) -> int:
    """Openers and commas, which is what the bounds count; 1 is for the value itself."""
    if isinstance(value, dict):
        return 1 + max(0, len(value) - 1) + sum(map(counted, value.values()))
    if isinstance(value, list):
        return 1 + max(0, len(value) - 1) + sum(map(counted, value))
    return 0


@settings(deadline=None, max_examples=200)
@given(JSON, st.booleans(), st.integers(min_value=1, max_value=9) | st.just(STEP_BYTES))
def test_texts_do_not_count_whatever_is_in_them_and_however_they_are_cut(value: Any, in_ascii: bool, step: int) -> None:
    raw = json.dumps(value, ensure_ascii=in_ascii).encode()
    bounds = JsonBounds(MAX_TEXT_BYTES)
    for begin in range(0, len(raw), step):
        bounds.feed(raw[begin : begin + step])
    assert (bounds._values - 1, bounds._open, bounds._broken, bounds._in_string) == (counted(value), [], False, False)


@settings(deadline=None, max_examples=200)
@given(JSON, st.integers(min_value=0, max_value=200), st.integers(min_value=1, max_value=9))
def test_texts_take_the_same_memory_however_they_are_cut(value: Any, first: int, step: int) -> None:
    raw = json.dumps([value, "a", "b"], ensure_ascii=False).encode()
    whole, cut = JsonBounds(MAX_TEXT_BYTES), JsonBounds(MAX_TEXT_BYTES)
    whole.feed(raw[:first])
    whole.feed(raw[first:])
    for begin in range(0, len(raw), step):
        cut.feed(raw[begin : begin + step])
    assert (whole._strings, whole._text_bytes) == (cut._strings, cut._text_bytes)


@pytest.mark.parametrize(
    ("raw", "allowed"),
    [
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, True),
        (b"[" * (MAX_DEPTH + 1), False),
        (b'{"a":' * (MAX_DEPTH + 1), False),
        (b"[" + b"0," * (MAX_VALUES - 3) + b"0]", True),
        (b"[" + b"0," * MAX_VALUES + b"0]", False),
        (b"[" + b"[]," * (MAX_VALUES // 2) + b"0]", False),
        (b"{" + b",".join(b'"%d":0' % number for number in range(MAX_MEMBERS)) + b"}", True),
        (b"{" + b",".join(b'"%d":0' % number for number in range(MAX_MEMBERS + 1)) + b"}", False),
        (b'{"' + b"n" * MAX_NAME_BYTES + b'":0}', True),
        (b'{"' + b"n" * (MAX_NAME_BYTES + 1) + b'" :0}', False),
        (b'["' + b"n" * (MAX_NAME_BYTES + 1) + b'",":"]', True),
        (b'{"a":"' + b",[{" * 1_000_000 + b'"}', True),
        (b'{"a":"' + b'\\",[' * 1_000_000 + b'"}', True),
        (b'{"a":"' + b"\\\\" * 1_000_001 + b'"}', True),
        # 16 MB that take 16, 4 and 64 MB in memory.
        (b'"' + b"x" * 16_000_000 + b'"', True),
        (b'"' + b"\\u597d" * 2_600_000 + b'"', True),
        (b'"' + b"x" * 16_000_000 + "😀".encode() + b'"', False),
        (b'"' + b"x" * 5_100_000 + b"\\ud83d" * 1_000 + b'"', False),
        (b'"' + "é".encode() * 8_000_000 + b'"', True),
        (b'"' + "好".encode() * 5_300_000 + b'"', True),
        ('["😀","'.encode() + b"x" * 15_000_000 + b'"]', True),
        # No JSON. The parser says so.
        (b"]" * 1_000_000, True),
        (b'"' * 1_000_000, True),
        (b"", True),
    ],
    ids=lambda value: value[:12].decode("utf-8", "replace") if isinstance(value, bytes) else None,
)
def test_what_is_too_complex_is_refused(raw: bytes, allowed: bool) -> None:
    assert (verdict(raw) is None) is allowed
    assert verdict(raw, step=4_093) == verdict(raw)


def test_it_refuses_before_the_body_has_arrived() -> None:
    bounds = JsonBounds(MAX_TEXT_BYTES)
    bounds.feed(b"[" * MAX_DEPTH)
    with pytest.raises(TooComplex, match="nested"):
        bounds.feed(b"[")
