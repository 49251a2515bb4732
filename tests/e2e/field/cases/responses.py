"""OpenAI's Responses API, as OpenAI and compatible servers speak it."""

from typing import Any

import orjson

from tests.e2e.field.case import Answer, Case
from tests.e2e.field.wire import DONE, named


def _response(status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "status": status,
        "model": "m",
        "service_tier": "default",
        "error": None,
        "incomplete_details": None,
        "output": [],
        "usage": None,
        **more,
    }


def _counts(prompt: int, output: int, reasoning: int = 0, cached: int = 0) -> dict[str, Any]:
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": prompt + output,
    }


def _ended(status: str, event: str | None = None, **more: Any) -> bytes:
    return named({"type": f"response.{event or status}", "response": _response(status, **more)})


def _delta(name: str, text: str, index: int = 0) -> bytes:
    event = {"type": f"response.{name}.delta", "item_id": f"item_{index}", "output_index": index, "content_index": 0}
    return named({**event, "delta": text})


def _text(*texts: str, index: int = 0) -> bytes:
    return b"".join(_delta("output_text", text, index) for text in texts)


def _added(index: int, **item: Any) -> bytes:
    item = {"id": f"item_{index}", "status": "in_progress", **item}
    return named({"type": "response.output_item.added", "output_index": index, "item": item})


def _done(index: int, **item: Any) -> bytes:
    item = {"id": f"item_{index}", "status": "completed", **item}
    return named({"type": "response.output_item.done", "output_index": index, "item": item})


def _message(text: str) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return {"type": "message", "role": "assistant", "content": parts}


def _whole_text(text: str) -> bytes:
    """The events that say a text again when it has ended."""
    place = {"item_id": "item_0", "output_index": 0, "content_index": 0}
    return (
        named({"type": "response.output_text.done", **place, "text": text})
        + named({"type": "response.content_part.done", **place, "part": _message(text)["content"][0]})
        + _done(0, **_message(text))
    )


CREATED = named({"type": "response.created", "response": _response("in_progress", service_tier="auto")})
REASONING = {"type": "reasoning", "summary": []}
HI = CREATED + _added(0, type="message", role="assistant", content=[]) + _text("Hi")
CUT = {"reason": "max_output_tokens"}


def _case(name: str, answer: Answer, must: dict[str, Any], **more: Any) -> Case:
    return Case(f"responses-{name}", answer, must, protocol="openai-responses", run="responses", **more)


CASES = (
    _case(
        "text",
        Answer(
            (50, CREATED),
            (100, HI.removeprefix(CREATED)),
            (140, _text(" there")),
            (200, _text("!") + _whole_text("Hi there!")),
            (220, _ended("completed", output=[_message("Hi there!")], usage=_counts(37, 3, cached=12)) + DONE),
        ),
        {
            "outcome": "succeeded",
            "response": "Hi there!",
            "ttft_ms": 100,
            "latency_ms": 200,
            "input_tokens": 37,
            "cache_read_tokens": 12,
            "output_tokens": 3,
            "speed_tokens": 3,
            "tpot_tokens": 2,
            "finish_reason": "completed",
            "served_model": "m",
            "service_tier": "default",
            "no_flags": ("not_streamed", "reasoning_hidden", "service_tier_differs", "sent_after_end"),
        },
    ),
    _case(
        "hidden-reasoning",
        Answer(
            (50, CREATED + _added(0, **REASONING)),
            (400, _done(0, **REASONING) + _text("a", index=1)),
            (440, _text("b", index=1)),
            (480, _text("c", index=1) + _ended("completed", usage=_counts(9, 1_003, 1_000))),
        ),
        {
            "outcome": "succeeded",
            "ttft_ms": 400,
            "reasoning_tokens": 1_000,
            "speed_tokens": 3,
            "flags": "reasoning_hidden",
        },
    ),
    _case(
        "summary",
        Answer(
            (50, CREATED + _added(0, **REASONING)),
            (100, _delta("reasoning_summary_text", "Weighing")),
            (400, _done(0, type="reasoning", summary=[{"type": "summary_text", "text": "Weighing"}])),
            (420, _text("a", index=1)),
            (460, _text("b", index=1) + _ended("completed", usage=_counts(9, 1_002, 1_000))),
        ),
        {
            "outcome": "succeeded",
            "reasoning": "Weighing",
            "response": "ab",
            "ttft_ms": 100,
            "ttfat_ms": 420,
            "tokens_per_second": None,
            "tpot_ms": None,
            "flags": "reasoning_hidden",
        },
    ),
    _case(
        "tool-call",
        Answer(
            (50, CREATED + _added(0, type="function_call", call_id="call_1", name="look", arguments="")),
            (90, _delta("function_call_arguments", '{"q"')),
            (
                130,
                _delta("function_call_arguments", ":1}")
                + _done(0, type="function_call", call_id="call_1", name="look", arguments='{"q":1}')
                + _ended("completed", usage=_counts(9, 5)),
            ),
        ),
        {"outcome": "succeeded", "response": 'look{"q":1}', "ttft_ms": 50, "ttfat_ms": 50, "latency_ms": 130},
    ),
    _case(
        "refusal",
        Answer((50, CREATED), (90, _delta("refusal", "I can't.") + _ended("completed", usage=_counts(9, 4)))),
        {"outcome": "succeeded", "response": "I can't.", "flags": "refused"},
    ),
    _case(
        "cut-by-the-limit",
        Answer((50, HI), (90, _text("!") + _ended("incomplete", incomplete_details=CUT, usage=_counts(9, 16)))),
        {"outcome": "succeeded", "finish_reason": "max_output_tokens", "flags": "cut_by_max_tokens"},
    ),
    _case(
        "cut-but-completed",
        Answer((50, HI), (90, _ended("incomplete", "completed", incomplete_details=CUT, usage=_counts(9, 16)))),
        {"outcome": "succeeded", "finish_reason": "max_output_tokens", "flags": "cut_by_max_tokens"},
    ),
    _case(
        "filtered",
        Answer((50, HI), (90, _ended("incomplete", incomplete_details={"reason": "content_filter"}))),
        {"outcome": "succeeded", "finish_reason": "content_filter", "flags": ("filtered", "usage_missing")},
    ),
    _case(
        "failed",
        Answer((50, HI), (90, _ended("failed", error={"code": "rate_limit_exceeded", "message": "Slow down."}))),
        {
            "outcome": "errored",
            "response": "Hi",
            "error_kind": "rate_limited",
            "provider_code": "rate_limit_exceeded",
            "message": "Slow down.",
            "phase": "mid_stream",
            "ended_ms": 90,
        },
    ),
    _case(
        "error-event",
        Answer(
            (50, HI), (90, named({"type": "error", "code": "server_error", "message": "Try later.", "param": None}))
        ),
        {"outcome": "errored", "response": "Hi", "error_kind": "server_error", "message": "Try later."},
    ),
    _case(
        "text-only-when-done",
        Answer((50, CREATED), (200, _whole_text("Hi there!") + _ended("completed", usage=_counts(9, 3)))),
        {
            "outcome": "succeeded",
            "response": "Hi there!",
            "ttft_ms": 200,
            "tokens_per_second": None,
            "flags": ("not_streamed", "buffered"),
        },
    ),
    _case(
        "whole-document",
        Answer(
            (80, orjson.dumps(_response("completed", output=[_message("Hi")], usage=_counts(9, 2)))),
            content_type="application/json",
        ),
        {
            "outcome": "succeeded",
            "response": "Hi",
            "output_tokens": 2,
            "finish_reason": "completed",
            "flags": "not_streamed",
        },
    ),
    _case(
        "no-end",
        Answer((50, HI), (90, _text("!") + _whole_text("Hi!"))),
        {"outcome": "truncated", "response": "Hi!"},
    ),
    _case(
        "left-open",
        Answer((50, HI), (90, _text("!") + _ended("completed", usage=_counts(9, 2))), ending="open"),
        {"outcome": "succeeded", "latency_ms": 90, "flags": "left_open"},
    ),
    Case(
        "responses-by-its-date",
        Answer(
            (50, HI.replace(b'"model":"m"', b'"model":"gpt-4o-2024-08-06"')),
            (90, _ended("completed", model="gpt-4o-2024-08-06", usage=_counts(1_000, 1_000, cached=400))),
        ),
        # 600 x 2.5 + 400 x 1.25 + 1,000 x 10
        {"outcome": "succeeded", "no_flags": "served_model_differs", "cost": 0.012},
        protocol="openai-responses",
        model="gpt-4o",
        price="openai",
    ),
)
