"""Metadata in a text area."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.forms.json_text import Unreadable
from api.pages.forms.metadata import metadata_of, text_of


def test_lines_are_pairs_of_texts() -> None:
    assert metadata_of("team=search\n\n commit = 4f2a=91c \n") == {"team": "search", "commit": "4f2a=91c"}


def test_an_object_is_read_as_json() -> None:
    assert metadata_of(' {"build": 17, "tags": ["a"]}') == {"build": 17, "tags": ["a"]}


@pytest.mark.parametrize(("text", "message"), [("team", "line 1 must be key=value"), ('{"a": ', "is not JSON")])
def test_anything_else_is_named(text: str, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        metadata_of(text)


@pytest.mark.parametrize(("metadata", "starts"), [({"team": "search"}, "team=search"), ({"build": 17}, "{"), ({}, "")])
def test_lines_are_used_where_they_are_enough(metadata: dict[str, Any], starts: str) -> None:
    assert text_of(metadata).startswith(starts)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")) | st.integers(), max_size=4
    )
)
def test_metadata_comes_back(metadata: dict[str, Any]) -> None:
    assert metadata_of(text_of(metadata)) == metadata
