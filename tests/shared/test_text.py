"""Text that every database can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text import REPLACEMENT, refuse_unstorable, replace_unstorable, unstorable_parts

any_text = st.text(st.characters(exclude_categories=()), max_size=50)


@given(any_text)
def test_replaced_text_is_storable_and_says_whether_it_was_changed(text: str) -> None:
    """Or else halves of a pair that came apart were joined, which changes no character."""
    safe, replaced = replace_unstorable(text)
    assert refuse_unstorable(safe) == safe
    if not replaced:
        assert safe.encode("utf-16-le") == text.encode("utf-16-le", "surrogatepass")


@pytest.mark.parametrize(
    ("text", "safe", "replaced"),
    [
        ("plain äöü 😀", "plain äöü 😀", False),
        ("a\x00b", f"a{REPLACEMENT}b", True),
        ("a\ud800b", f"a{REPLACEMENT}b", True),
        ("\ud83d" + "\ude00", "😀", False),
        (f"a{REPLACEMENT}b", f"a{REPLACEMENT}b", False),
    ],
)
def test_what_cannot_be_stored_becomes_the_replacement_character(text: str, safe: str, replaced: bool) -> None:
    assert replace_unstorable(text) == (safe, replaced)


@pytest.mark.parametrize(("text", "words"), [("a\x00", "NUL"), ("abc\udc00", "lone surrogate .at character 3")])
def test_text_that_cannot_be_stored_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        refuse_unstorable(text)


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ({"a": {"b": ["ok", "\x00"]}}, [".a.b[1]"]),
        ({"a\x00": 1}, [".a\\x00"]),
        ({"\ud800": 1}, [".\\ud800"]),
        ({"a": float("nan"), "b": [float("inf")]}, [".a", ".b[0]"]),
        ({"a": [None, True, 1, 1.5, "text", {}]}, []),
    ],
)
def test_each_bad_part_of_a_json_value_is_named(value: object, paths: list[str]) -> None:
    assert [path for path, _ in unstorable_parts(value)] == paths
