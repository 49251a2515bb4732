"""What the fuzzer found, made small."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocols.json_values import may_break_off
from tests.support.streams import anthropic_text, message_start, openai_chunk, sse
from tests.worker.engine.measuring import measure


async def test_a_document_without_a_type_is_no_whole_message() -> None:
    """An event without a name is called `message`, like a whole answer."""
    record = measure("anthropic", [(10, sse(message_start(), *anthropic_text("Hi"), {"x": 1}))])
    assert (record.outcome, record.response) == ("truncated", "Hi")


async def test_a_blank_error_in_a_choice_is_none() -> None:
    chunk = openai_chunk({"content": "Hi"})
    chunk["choices"][0]["error"] = " "
    record = measure("openai", [(10, sse(chunk, openai_chunk({}, "stop"), "[DONE]"))])
    assert (record.outcome, record.response) == ("succeeded", "Hi")


@pytest.mark.parametrize("begin", [b"", b"data: "])
async def test_a_body_that_only_looks_like_json_is_no_truncated_answer(begin: bytes) -> None:
    record = measure("openai", [(10, begin + b"{malformed json: <<<chaos>>>\n")], content_type="application/json")
    assert record.error is not None
    assert (record.outcome, record.error.kind) == ("errored", "malformed_event")
    assert "malformed json" in record.error.message


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=6))
def test_each_first_part_of_a_document_may_break_off(value: object) -> None:
    text = json.dumps({"a": value, "b\u00fc\ud83d": [value]})
    assert all(may_break_off(text[:size]) for size in range(1, len(text)))
    assert not may_break_off(text)
    assert not may_break_off(text + "x")


async def test_a_finish_reason_that_means_failure_is_stored_as_a_short_code() -> None:
    reason = "error\x00\ud83d" + "x" * 1_000
    record = measure("openai", [(10, sse(openai_chunk({}, "error")).replace(b'"error"', json.dumps(reason).encode()))])
    assert record.error is not None
    assert record.error.provider_code == "error\ufffd\ufffd" + "x" * 193
