"""How responses end, their usage, and responses in one document."""

from typing import Any, get_args

import orjson
import pytest
from openai.types.responses import ResponseStreamEvent

from tests.worker.engine.measuring import measure
from tests.worker.engine.responses import (
    CREATED,
    REASONING,
    USAGE,
    added,
    done,
    ended,
    message,
    named,
    read,
    said,
    used,
)


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
