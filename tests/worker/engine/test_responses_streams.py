"""Texts and tool calls of responses, as OpenAI and compatible servers stream them."""

from typing import Any

import pytest

from tests.worker.engine.responses import (
    CREATED,
    MESSAGE,
    REASONING,
    added,
    delta,
    done,
    ended,
    message,
    part,
    read,
    said,
)


def test_a_text_is_counted_once_although_the_protocol_says_it_five_times() -> None:
    text = "Hello there"
    record = read(
        CREATED,
        {**CREATED, "type": "response.in_progress"},
        added(0, MESSAGE),
        {"type": "response.content_part.added", "output_index": 0, "content_index": 0, "part": part("")},
        *said("Hello", " there"),
        {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": text},
        {"type": "response.content_part.done", "output_index": 0, "content_index": 0, "part": part(text)},
        done(0, message(text)),
        ended(output=[message(text)]),
    )
    assert (record.outcome, record.response, record.finish_reason) == ("succeeded", text, "completed")
    assert (record.ttft_ms, record.latency_ms) == (500, 600)
    usage = record.usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (37, 12, 11)
    assert usage.uncached_input_tokens == 25
    assert usage.reasoning_tokens == 0
    assert (record.served_model, record.service_tier, record.provider_request_id) == (
        "gpt-5-2025-08-07",
        "default",
        "resp_1",
    )
    assert record.flags == []


def test_events_without_places_are_counted_once_too() -> None:
    """llama.cpp sends no `output_index`."""
    record = read(
        CREATED,
        {"type": "response.output_item.added", "item": REASONING},
        {"type": "response.reasoning_text.delta", "delta": "Hm", "item_id": "rs_1"},
        {"type": "response.output_item.added", "item": MESSAGE},
        {"type": "response.output_text.delta", "delta": "Hi", "item_id": "msg_1"},
        {"type": "response.output_text.delta", "delta": "!", "item_id": "msg_1"},
        {"type": "response.output_item.done", "item": {**REASONING, "content": [{"text": "Hm"}]}},
        {"type": "response.output_text.done", "item_id": "msg_1", "text": "Hi!"},
        {"type": "response.output_item.done", "item": message("Hi!")},
        ended(output=[{**REASONING, "content": [{"text": "Hm"}]}, message("Hi!")]),
    )
    assert (record.reasoning, record.response) == ("Hm", "Hi!")
    assert (record.ttft_ms, record.metrics["ttfat_ms"], record.flags) == (300, 500, [])


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "response.output_text.done", "output_index": 0, "text": "Hi"}, done(0, message("Hi"))],
        [{"type": "response.content_part.done", "output_index": 0, "part": part("Hi")}, done(0, message("Hi"))],
        [added(0, MESSAGE), done(0, message("Hi"))],
        [],
    ],
)
def test_a_text_without_deltas_is_taken_from_the_first_event_that_has_it(events: list[dict[str, Any]]) -> None:
    record = read(CREATED, *events, ended(output=[message("Hi")]))
    assert (record.outcome, record.response) == ("succeeded", "Hi")
    assert "not_streamed" in record.flags
    assert record.metrics["tokens_per_second"] is None


def test_two_items_without_deltas_are_both_taken() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": '{"q":1}'}
    items = [message("Hi", id="msg_1"), call, {**call, "id": "fc_2"}]
    record = read(
        CREATED, *[{"type": "response.output_item.done", "item": item} for item in items], ended(output=items)
    )
    assert record.response == 'Hilook{"q":1}look{"q":1}'


def test_a_done_event_that_comes_too_early_does_not_end_the_text() -> None:
    record = read(
        CREATED,
        *said("1"),
        {"type": "response.output_text.done", "output_index": 0, "text": "1"},
        done(0, message("1")),
        *said("2", "3"),
        ended(output=[message("123")]),
    )
    assert (record.response, record.latency_ms) == ("123", 600)


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("function_call_arguments", {"type": "function_call", "name": "look", "arguments": ""}),
        ("mcp_call_arguments", {"type": "mcp_call", "name": "look", "arguments": "", "server_label": "s"}),
        ("custom_tool_call_input", {"type": "custom_tool_call", "name": "look", "input": ""}),
        ("code_interpreter_call_code", {"type": "code_interpreter_call", "code": None, "name": "look"}),
        ("shell_call_command", {"type": "shell_call", "name": "look", "action": {"commands": []}}),
    ],
)
def test_a_tool_call_is_an_answer_and_its_name_is_the_first_of_it(name: str, item: dict[str, Any]) -> None:
    field = {"code_interpreter_call_code": "code", "shell_call_command": "command"}.get(name, "arguments")
    record = read(
        CREATED,
        added(0, item),
        delta(name, '{"city"'),
        delta(name, ':"Bonn"}'),
        {"type": f"response.{name}.done", "output_index": 0, field: '{"city":"Bonn"}'},
        done(0, item, arguments='{"city":"Bonn"}'),
        ended(output=[{**item, "arguments": '{"city":"Bonn"}'}]),
    )
    assert record.response == 'look{"city":"Bonn"}'
    assert (record.metrics["ttfat_ms"], record.latency_ms, record.flags) == (200, 400, [])


def test_arguments_that_come_only_whole_are_taken_once() -> None:
    item = {"type": "function_call", "id": "fc_1", "name": "look", "arguments": ""}
    whole = {**item, "arguments": '{"q":1}'}
    last = {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": '{"q":1}'}
    record = read(CREATED, added(0, item), last, done(0, whole), ended(output=[whole]))
    assert (record.response, record.ttft_ms, record.latency_ms) == ('look{"q":1}', 200, 300)


def test_the_output_of_a_hosted_tool_is_no_token() -> None:
    record = read(
        CREATED,
        {"type": "response.shell_call_output_content.delta", "output_index": 0, "delta": {"stdout": "x"}},
        {"type": "response.audio.delta", "delta": "UklGRg=="},
        {"type": "response.image_generation_call.partial_image", "output_index": 0, "partial_image_b64": "iVBO"},
        {"type": "response.output_text.annotation.added", "output_index": 0, "annotation": {"text": "x"}},
        {"type": "response.audio.transcript.delta", "delta": "Spoken"},
        ended(),
    )
    assert (record.response, record.ttft_ms, record.reasoning) == ("Spoken", 600, None)


def test_a_refusal_is_an_answer_and_flagged() -> None:
    refused = {**MESSAGE, "content": [{"type": "refusal", "refusal": "I can't."}]}
    last = {"type": "response.refusal.done", "output_index": 0, "refusal": "I can't."}
    record = read(
        CREATED, delta("refusal", "I "), delta("refusal", "can't."), last, done(0, refused), ended(output=[refused])
    )
    assert (record.outcome, record.response, record.flags) == ("succeeded", "I can't.", ["refused"])


@pytest.mark.parametrize(
    ("deltas", "ends"),
    [
        # Another index, another id, only one of the two.
        ({"output_index": 0, "item_id": "msg_1"}, {"output_index": 1, "item": message("Hi")}),
        ({"output_index": 0, "item_id": "msg_7"}, {"output_index": 0, "item": message("Hi")}),
        ({"output_index": 0}, {"item": message("Hi")}),
        ({"item_id": "msg_1"}, {"output_index": 0, "item": message("Hi")}),
        ({}, {"output_index": 0, "item": message("Hi")}),
    ],
)
def test_an_item_is_known_by_its_index_or_by_its_id(deltas: dict[str, Any], ends: dict[str, Any]) -> None:
    said = [{"type": "response.output_text.delta", "delta": text, **deltas} for text in ("H", "i")]
    record = read(CREATED, *said, {"type": "response.output_item.done", **ends}, ended(output=[message("Hi")]))
    assert record.response == "Hi"


def test_items_with_other_indexes_and_ids_are_others() -> None:
    first, second = message("Hi"), message(" you", id="msg_2")
    record = read(CREATED, *said("Hi"), done(0, first), done(1, second), ended(output=[first, second]))
    assert record.response == "Hi you"
