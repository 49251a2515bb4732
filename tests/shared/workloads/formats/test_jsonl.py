"""JSON lines become rows, and each wrong line says what is wrong with it."""

import json

import pytest

from shared.workloads.rows import Row, Turn
from tests.shared.workloads.formats.read import errors, read


def one(document: object) -> Row:
    rows, facts = read(json.dumps(document), "jsonl")
    assert facts.errors == []
    (row,) = rows
    assert isinstance(row, Row)
    return row


def wrong(document: object) -> str:
    ((line, message),) = errors(json.dumps(document), "jsonl")
    assert line == 1
    return message


def test_a_prompt_and_a_question_are_single_turns() -> None:
    assert one({"prompt": "hi", "id": 7}) == Row((Turn("hi"),))
    assert one({"question": "why?", "system": "Be brief.", "max_tokens": 9}) == Row((Turn("why?", 9),), "Be brief.")
    assert one({"prompt": "hi", "output_tokens": 9}) == Row((Turn("hi", 9),))


def test_messages_are_sent_as_they_are_and_the_last_is_the_turn() -> None:
    said = [("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")]
    messages = [{"role": role, "content": text} for role, text in said]
    assert one({"messages": messages}) == Row((Turn("c"),), "s", (("user", "a"), ("assistant", "b")))


def test_turns_are_a_conversation_with_limits_and_pauses_of_their_own() -> None:
    document = {"turns": ["a", {"text": "b", "max_tokens": 5, "think_s": 1.5}], "max_tokens": 9}
    assert one(document) == Row((Turn("a", 9), Turn("b", 5, 1.5)))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "has none of prompt, messages, question or turns: it is empty"),
        ({"text": "x", "label": 1}, "has none of prompt, messages, question or turns: it has text, label"),
        ({"prompt": "a", "question": "b"}, "must have only one of"),
        ({"prompt": 3}, "prompt: expected str | null, got int"),
        ({"prompt": ""}, "prompt: must not be empty"),
        ({"prompt": "a\x00"}, "prompt: must not contain NUL"),
        ({"prompt": "a\ud800"}, "lone surrogate"),
        ({"prompt": "a", "max_tokens": 0}, "max_tokens: must be 1 to 1,000,000"),
        ({"prompt": "a", "max_tokens": True}, "max_tokens: expected int | null, got bool"),
        ({"prompt": "a", "max_tokens": 10**30}, "max_tokens: must be 1 to 1,000,000"),
        ({"prompt": "a", "max_tokens": 1, "output_tokens": 1}, "must not have both"),
        ({"messages": []}, "messages: must be 1 to 1,000"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role: must be user or assistant"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "the last one must have the role user"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content: expected str"),
        ({"turns": []}, "turns: must be 1 to 1,000"),
        ({"turns": ["a"] * 1_001}, "turns: must be 1 to 1,000"),
        ({"turns": [{"text": "a", "think_s": -1}]}, "turns[0].think_s: must be 0 to 86,400"),
        ([1], "expected object, got array"),
    ],
)
def test_a_line_of_another_shape_is_told_what_is_wrong(document: object, message: str) -> None:
    assert message in wrong(document)


def test_lines_that_are_not_json_or_not_utf_8_have_their_numbers() -> None:
    content = b'{"prompt": "a"}\n\n{"prompt": "\xff"}\n{"x": "\xfe"}\nnot json\n{"prompt": "b"}'
    assert [(line, message[:19]) for line, message in errors(content, "jsonl")] == [
        (3, "is not valid UTF-8:"),
        (4, "is not valid UTF-8:"),
        (5, "is not JSON: JSON i"),
    ]


def test_json_that_is_deep_or_has_endless_fields_is_refused_or_skipped() -> None:
    deep = '{"prompt": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert errors(deep, "jsonl") == [(1, "is nested too deeply")]
    wide = '{"prompt": "a", "x": [' + "[]," * 1_000_000 + "[]]}"
    assert read(wide, "jsonl")[0] == [Row((Turn("a"),))]
