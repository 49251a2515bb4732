"""Responses as OpenAI and compatible servers stream them, each with the values that are right."""

from typing import Any, get_args

import orjson
import pytest
from openai.types.responses import ResponseStreamEvent

from shared.benchmark.record import ResultRecord
from tests.support.streams import sse
from tests.worker.engine.measuring import measure

USAGE = {
    "input_tokens": 37,
    "input_tokens_details": {"cached_tokens": 12},
    "output_tokens": 11,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 48,
}
CREATED = {"type": "response.created", "response": {"id": "resp_1", "object": "response", "status": "in_progress"}}
MESSAGE = {"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
REASONING = {"id": "rs_1", "type": "reasoning", "summary": []}


def named(*events: dict[str, Any]) -> bytes:
    return sse(*events, named=True)


def added(index: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(index: int, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": {**item, **more}}


def delta(name: str, text: str, index: int = 0, item: str = "msg_1") -> dict[str, Any]:
    return {"type": f"response.{name}.delta", "item_id": item, "output_index": index, "delta": text}


def said(*texts: str, index: int = 0) -> list[dict[str, Any]]:
    return [{**delta("output_text", text, index), "content_index": 0, "logprobs": []} for text in texts]


def part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message(text: str, **more: Any) -> dict[str, Any]:
    return {**MESSAGE, "status": "completed", "content": [part(text)], **more}


def ended(status: str = "completed", **more: Any) -> dict[str, Any]:
    response = {"id": "resp_1", "object": "response", "status": status, "error": None, "incomplete_details": None}
    response |= {"model": "gpt-5-2025-08-07", "service_tier": "default", "output": [], "usage": USAGE, **more}
    return {"type": f"response.{status}", "response": response}


def used(output: int, reasoning: int) -> dict[str, Any]:
    details = {"reasoning_tokens": reasoning}
    return {**USAGE, "output_tokens": output, "output_tokens_details": details, "total_tokens": 37 + output}


def read(*events: dict[str, Any]) -> ResultRecord:
    """The record of a stream in which each event comes 100 ms after the one before."""
    return measure("openai-responses", [(100 * (at + 1), named(event)) for at, event in enumerate(events)])


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


# Reasoning


def test_reasoning_that_is_shown_counts_in_the_speed() -> None:
    record = read(
        CREATED,
        added(0, REASONING),
        {"type": "response.reasoning_part.added", "output_index": 0, "part": {"type": "reasoning_text", "text": ""}},
        delta("reasoning_text", "Hm"),
        delta("reasoning_text", " so"),
        {"type": "response.reasoning_text.done", "output_index": 0, "text": "Hm so"},
        {
            "type": "response.reasoning_part.done",
            "output_index": 0,
            "part": {"type": "reasoning_text", "text": "Hm so"},
        },
        done(0, REASONING, content=[{"type": "reasoning_text", "text": "Hm so"}]),
        added(1, MESSAGE),
        *said("Yes", index=1),
        ended(usage=used(8, 6)),
    )
    assert (record.reasoning, record.response) == ("Hm so", "Yes")
    assert (record.ttft_ms, record.metrics["ttfat_ms"]) == (400, 1000)
    assert record.metrics["tokens_per_second"] == pytest.approx(8 / 0.6)
    assert record.flags == []


def test_a_summary_does_not_tell_how_much_was_generated_within_the_visible_span() -> None:
    shown = {"type": "summary_text", "text": "**Weighing**"}
    record = read(
        CREATED,
        added(0, REASONING),
        {
            "type": "response.reasoning_summary_part.added",
            "output_index": 0,
            "summary_index": 0,
            "part": {**shown, "text": ""},
        },
        delta("reasoning_summary_text", "**Weighing**"),
        {"type": "response.reasoning_summary_text.done", "output_index": 0, "summary_index": 0, "text": "**Weighing**"},
        {"type": "response.reasoning_summary_part.done", "output_index": 0, "summary_index": 0, "part": shown},
        done(0, REASONING, summary=[shown]),
        *said("Yes", " it", " is", index=1),
        ended(usage=used(1_003, 1_000)),
    )
    assert (record.reasoning, record.response, record.usage.reasoning_tokens) == ("**Weighing**", "Yes it is", 1_000)
    assert (record.ttft_ms, record.metrics["ttfat_ms"]) == (400, 800)
    assert (record.metrics["tokens_per_second"], record.metrics["tpot_ms"]) == (None, None)
    assert record.flags == ["max_tokens_ignored", "reasoning_hidden"]


def test_a_summary_is_the_whole_reasoning_if_none_is_billed_beside_it() -> None:
    """Ollama sends the reasoning of open models so."""
    record = read(CREATED, delta("reasoning_summary_text", "Hm"), *said("Yes", " it", index=1), ended(usage=used(3, 0)))
    assert record.metrics["tokens_per_second"] == pytest.approx(3 / 0.2)
    assert record.flags == []


def test_an_item_of_reasoning_without_text_is_hidden_reasoning_before_the_answer() -> None:
    events = [CREATED, added(0, REASONING), done(0, REASONING, encrypted_content="gAAAA"), added(1, MESSAGE)]
    events += said(*"abcde", index=1)
    record = read(*events, ended(usage=used(69, 64), output=[REASONING, message("abcde")]))
    assert record.flags == ["reasoning_hidden"]
    assert record.metrics["tokens_per_second"] == pytest.approx(5 / 0.4)
    assert record.metrics["tpot_ms"] == pytest.approx(100)


def test_hidden_reasoning_ends_with_the_first_text_where_nothing_else_ends_it() -> None:
    record = read(CREATED, added(0, REASONING), *said(*"abc", index=1), ended(usage=used(67, 64)))
    assert record.flags == ["reasoning_hidden"]
    assert record.metrics["tokens_per_second"] == pytest.approx(3 / 0.2)


def test_a_part_of_reasoning_is_no_answer_whatever_its_type() -> None:
    part_done = {"type": "response.reasoning_part.done", "output_index": 0, "part": {"type": "text", "text": "Hm"}}
    record = read(CREATED, delta("reasoning_text", "Hm"), part_done, *said("Yes", index=1), ended())
    assert (record.reasoning, record.response) == ("Hm", "Yes")


def test_hidden_reasoning_between_two_messages_leaves_the_speed_unknown() -> None:
    more = {**REASONING, "id": "rs_2"}
    events = [CREATED, added(0, REASONING), added(1, MESSAGE), *said("a", index=1), added(2, more), done(2, more)]
    record = read(*events, *said("b", index=3), ended(usage=used(66, 64)))
    assert record.flags == ["reasoning_hidden"]
    assert record.metrics["tokens_per_second"] is None


def test_an_empty_item_of_reasoning_that_is_not_billed_is_nothing() -> None:
    record = read(CREATED, added(0, REASONING), done(0, REASONING), *said("a", "b", index=1), ended(usage=used(2, 0)))
    assert record.flags == []
    assert record.metrics["tokens_per_second"] == pytest.approx(2 / 0.1)


def test_reasoning_between_think_tags_is_no_answer() -> None:
    record = read(CREATED, *said("<think>", "Hm", "</think>", "Yes"), ended())
    assert (record.reasoning, record.response, record.flags) == ("Hm", "Yes", ["think_tags"])


# Ends


def test_a_response_that_is_cut_by_the_limit_says_so() -> None:
    end = ended("incomplete", incomplete_details={"reason": "max_output_tokens"})
    record = read(CREATED, *said("a", "b"), end)
    assert (record.outcome, record.finish_reason) == ("succeeded", "max_output_tokens")
    assert "cut_by_max_tokens" in record.flags


def test_a_response_that_thinking_has_eaten_has_no_answer() -> None:
    end = ended("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=used(100, 100))
    record = read(CREATED, added(0, REASONING), done(0, REASONING), end)
    assert (record.outcome, record.response, record.ttft_ms) == ("succeeded", None, None)
    assert record.flags == ["cut_by_max_tokens", "no_answer", "reasoning_hidden"]


def test_a_filtered_response_says_so() -> None:
    record = read(CREATED, *said("a", "b"), ended("incomplete", incomplete_details={"reason": "content_filter"}))
    assert (record.outcome, record.flags) == ("succeeded", ["filtered"])


def test_the_status_counts_where_the_event_says_that_all_is_well() -> None:
    """vLLM ends every response with `response.completed`."""
    end = ended("incomplete", incomplete_details={"reason": "max_output_tokens"})
    record = read(CREATED, *said("a", "b"), {**end, "type": "response.completed"})
    assert (record.finish_reason, record.flags) == ("max_output_tokens", ["cut_by_max_tokens"])
    record = read(CREATED, *said("a"), {**ended("failed"), "type": "response.completed"})
    assert record.outcome == "errored"


@pytest.mark.parametrize(
    ("end", "kind", "code", "words"),
    [
        (
            ended("failed", error={"code": "server_error", "message": "An error occurred."}, usage=None),
            "server_error",
            "server_error",
            "An error occurred.",
        ),
        (
            ended("failed", error={"code": "rate_limit_exceeded", "message": "Slow down."}),
            "rate_limited",
            "rate_limit_exceeded",
            "Slow down.",
        ),
        (ended("failed"), "provider_error", "failed", "failed"),
        (ended("cancelled"), "provider_error", "cancelled", "cancelled"),
        (
            {"type": "error", "code": "server_error", "message": "Try later.", "param": None, "sequence_number": 4},
            "server_error",
            "server_error",
            "Try later.",
        ),
        (
            {
                "type": "error",
                "error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "Broke."},
            },
            "billing",
            "insufficient_quota",
            "Broke.",
        ),
    ],
)
def test_a_response_that_fails_is_an_error_with_its_words_and_the_partial_text(
    end: dict[str, Any], kind: str, code: str, words: str
) -> None:
    record = read(CREATED, *said("a", "b"), end)
    assert (record.outcome, record.response) == ("errored", "ab")
    assert record.error is not None
    assert (record.error.kind, record.error.provider_code, record.error.phase) == (kind, code, "mid_stream")
    assert words in record.error.message


def test_a_stream_that_ends_before_its_response_does_is_truncated() -> None:
    record = read(
        CREATED,
        *said("a"),
        {"type": "response.output_text.done", "output_index": 0, "text": "a"},
        done(0, message("a")),
    )
    assert (record.outcome, record.response) == ("truncated", "a")


@pytest.mark.parametrize("after", [b"data: [DONE]\n\n", b"event: error\ndata: {}\n\n", b": bye\n\n"])
def test_what_follows_the_end_changes_nothing(after: bytes) -> None:
    stream = named(CREATED, *said("a"), ended()) + after
    record = measure("openai-responses", [(100, stream)])
    assert (record.outcome, record.response, record.error) == ("succeeded", "a", None)


def test_an_end_event_of_openrouter_and_keep_alives_are_understood() -> None:
    record = read(
        CREATED, {"type": "keepalive", "sequence_number": 2}, *said("a"), {**ended(), "type": "response.done"}
    )
    assert (record.outcome, record.response, record.ttft_ms) == ("succeeded", "a", 300)


def test_usage_of_a_response_that_has_just_begun_is_a_placeholder() -> None:
    begun = {**CREATED, "response": {**ended()["response"], "status": "in_progress", "usage": used(0, 0)}}
    record = read(begun, *said("a"))
    assert record.usage.output_tokens is None
    assert read(begun, *said("a", "b"), ended(usage=used(2, 0))).usage.output_tokens == 2


def test_usage_beside_the_response_is_read_and_flagged() -> None:
    for end in ({**ended(usage=None), "usage": USAGE}, {**ended(usage=None), "metrics": {"usage": USAGE}}):
        record = read(CREATED, *said("a", "b"), end)
        assert record.usage.output_tokens == 11
        assert record.flags == (["usage_misplaced"] if "metrics" in end else [])
    record = read(CREATED, *said("a"), {"type": "response.metrics", "usage": USAGE}, ended(usage=None))
    assert record.usage.output_tokens == 11


# Whole documents


@pytest.mark.parametrize("label", ["application/json", "text/event-stream"])
def test_a_whole_response_is_an_answer_that_was_not_streamed(label: str) -> None:
    items = [{**REASONING, "encrypted_content": "g"}, message("Hi there")]
    document = orjson.dumps(ended(output=items, usage=used(20, 16))["response"])
    record = measure("openai-responses", [(100, document)], label)
    assert (record.outcome, record.response, record.finish_reason) == ("succeeded", "Hi there", "completed")
    assert {"not_streamed", "reasoning_hidden"} <= set(record.flags)
    assert record.usage.output_tokens == 20


def test_a_whole_response_that_has_failed_is_an_error() -> None:
    error = {"code": "invalid_prompt", "message": "Your prompt was flagged."}
    document = orjson.dumps(ended("failed", error=error, usage=None)["response"])
    record = measure("openai-responses", [(100, document)], "application/json")
    assert record.error is not None
    assert (record.outcome, record.error.kind, record.error.provider_code) == (
        "errored",
        "invalid_request",
        "invalid_prompt",
    )


def test_a_whole_response_that_is_still_queued_is_no_answer() -> None:
    document = orjson.dumps(ended("queued", usage=None)["response"])
    assert measure("openai-responses", [(100, document)], "application/json").outcome == "errored"


def test_no_event_that_the_official_sdk_knows_is_an_error_or_an_end_by_itself() -> None:
    """All kinds of events are read; those without text are no tokens."""
    kinds = [get_args(event.model_fields["type"].annotation)[0] for event in get_args(get_args(ResponseStreamEvent)[0])]
    assert len(kinds) > 50
    ends = {"error", "response.completed", "response.failed", "response.incomplete"}
    record = read(*[{"type": kind, "output_index": 0} for kind in kinds if kind not in ends])
    assert (record.outcome, record.ttft_ms, record.response) == ("truncated", None, None)
    texts = {kind for kind in kinds if kind.endswith(".delta")} - {
        "response.audio.delta",
        "response.shell_call_output_content.delta",
    }
    for kind in texts:
        assert read({"type": kind, "output_index": 0, "delta": "x"}).ttft_ms == 100, kind
