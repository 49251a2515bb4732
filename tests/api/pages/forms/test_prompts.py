"""Prompts in a text area."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.json_bounds import MAX_DEPTH
from api.pages.forms.json_text import Unreadable
from api.pages.forms.prompts import prompts_of, text_of

OBJECT = {"messages": [{"role": "user", "content": "Name a river."}], "parameters": {"max_tokens": 20}}


def test_a_line_is_a_prompt_and_blank_lines_are_none() -> None:
    assert prompts_of("one\n\n two \n \n", "lines") == ["one", " two "]


def test_a_block_may_have_several_lines() -> None:
    assert prompts_of("---\none\n\ntwo\n --- \nthree\n---\n", "blocks") == ["one\n\ntwo", "three"]


@pytest.mark.parametrize("text", ['["one", "two"]', '"one"\n\n"two"\n', ' [\n"one",\n"two"]'])
def test_json_is_an_array_or_a_value_on_each_line(text: str) -> None:
    assert prompts_of(text, "json") == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"one"\n{"messages": ', "line 2 is not JSON: Expecting value"),
        ('["one",\n"two"', "is not JSON: Expecting ',' delimiter in line 2, column 6"),
        ("[" * (MAX_DEPTH + 1), f"must be nested at most {MAX_DEPTH} deep"),
        ("9" * 5_000, "line 1 is not JSON: a number is too long"),
    ],
)
def test_wrong_json_is_named(text: str, message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        prompts_of(text, "json")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("prompts", "form"),
    [
        (["one", "two"], "lines"),
        (["one\ntwo", "three"], "blocks"),
        ([" "], "json"),
        (["one\n---\ntwo"], "json"),
        (["one\rtwo"], "json"),
        (["one", OBJECT], "json"),
    ],
)
def test_the_plainest_format_that_keeps_each_character_is_chosen(prompts: list[Any], form: str) -> None:
    text, chosen = text_of(prompts)
    assert chosen == form
    assert prompts_of(text, chosen) == prompts


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1) | st.just(OBJECT), min_size=1, max_size=5))
def test_prompts_come_back_from_the_text_area(prompts: list[Any]) -> None:
    text, form = text_of(prompts)
    # As a browser sends it.
    assert prompts_of(text.replace("\n", "\r\n").replace("\r\n", "\n"), form) == prompts
    assert "\r" not in text
