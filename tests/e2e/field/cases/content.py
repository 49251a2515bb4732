"""In what shapes an answer's text, reasoning and calls come."""

from typing import Any

from tests.e2e.field.case import Answer, Case
from tests.e2e.field.wire import (
    DONE,
    ROLE,
    block_delta,
    block_start,
    chunk,
    message_end,
    message_start,
    text,
    usage,
    whole,
)

_SAID = {"outcome": "succeeded", "response": "Hi you", "ttft_ms": 100, "ttfat_ms": 100, "latency_ms": 200}


def _deltas(*deltas: dict[str, Any], finish: str = "stop") -> Answer:
    """One read a delta, from 100 ms on."""
    reads = [(100.0 * (1 + index), chunk(delta)) for index, delta in enumerate(deltas)]
    return Answer((50, ROLE), *reads, (100.0 * (1 + len(deltas)), chunk({}, finish) + usage(3, 9) + DONE))


def _reasoned(name: str, delta: dict[str, Any]) -> Case:
    """Reasoning, then the answer."""
    return Case(
        name,
        _deltas(delta, {"content": "Hi"}, {"content": " you"}),
        {
            "outcome": "succeeded",
            "reasoning": "Hm",
            "response": "Hi you",
            "ttft_ms": 100,
            "ttfat_ms": 200,
            "latency_ms": 300,
            "no_flags": "reasoning_hidden",
        },
    )


CASES = (
    # Typed parts.
    Case(
        "text-parts",
        _deltas({"content": [{"type": "text", "text": "Hi"}]}, {"content": [{"type": "text", "text": " you"}]}),
        _SAID,
    ),
    Case(
        "several-text-parts-in-an-event",
        _deltas({"content": [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]}, {"content": " you"}),
        _SAID,
    ),
    Case(
        "text-parts-of-a-whole-answer",
        Answer(
            (100, whole({"role": "assistant", "content": [{"type": "text", "text": "Hi you"}]})),
            content_type="application/json",
        ),
        {"outcome": "succeeded", "response": "Hi you", "flags": "not_streamed"},
    ),
    _reasoned("thinking-parts", {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}),
    _reasoned("thinking-part-with-its-text", {"content": [{"type": "thinking", "thinking": "Hm"}]}),
    Case(
        "parts-that-are-no-text",
        _deltas({"content": [{"type": "text", "text": "Hi"}, {"type": "reference", "reference_ids": [1]}, 7, None]}),
        {"outcome": "succeeded", "response": "Hi", "ttft_ms": 100},
    ),
    # Reasoning under its names.
    _reasoned("reasoning", {"reasoning": "Hm"}),
    _reasoned("reasoning-content", {"reasoning_content": "Hm"}),
    _reasoned("reasoning-text", {"reasoning_text": "Hm"}),
    _reasoned("reasoning-details", {"reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}),
    _reasoned("reasoning-details-summary", {"reasoning_details": [{"type": "reasoning.summary", "summary": "Hm"}]}),
    _reasoned(
        "reasoning-said-twice-in-an-event",
        {"reasoning": "Hm", "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]},
    ),
    _reasoned("reasoning-beside-empty-content", {"content": "", "reasoning": "Hm"}),
    Case(
        "reasoning-details-encrypted",
        _deltas({"reasoning_details": [{"type": "reasoning.encrypted", "data": "RW5j"}]}, {"content": "Hi"}),
        {"outcome": "succeeded", "response": "Hi", "reasoning": None, "ttft_ms": 200, "flags": "reasoning_hidden"},
    ),
    Case(
        "reasoning-between-think-tags",
        _deltas({"content": "<think>Hm"}, {"content": "</think>Hi"}, {"content": " you"}),
        {
            "outcome": "succeeded",
            "reasoning": "Hm",
            "response": "Hi you",
            "ttft_ms": 100,
            "ttfat_ms": 200,
            "latency_ms": 300,
            "flags": "think_tags",
            "no_flags": "reasoning_hidden",
        },
    ),
    Case(
        "think-tags-within-an-answer",
        _deltas({"content": "Hi"}, {"content": " <think> you"}),
        {"outcome": "succeeded", "response": "Hi <think> you", "reasoning": None, "ttfat_ms": 100},
    ),
    # Calls and refusals.
    Case(
        "tool-call",
        _deltas(
            {"tool_calls": [{"index": 0, "id": "t1", "function": {"name": "get_weather", "arguments": ""}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"city"'}}]},
            finish="tool_calls",
        ),
        {
            "outcome": "succeeded",
            "response": 'get_weather{"city"',
            "ttft_ms": 100,
            "ttfat_ms": 100,
            "latency_ms": 200,
            "no_flags": "no_answer",
        },
    ),
    Case(
        "function-call",
        _deltas(
            {"function_call": {"name": "get_weather", "arguments": ""}},
            {"function_call": {"arguments": '{"city"'}},
            finish="function_call",
        ),
        {
            "outcome": "succeeded",
            "response": 'get_weather{"city"',
            "ttft_ms": 100,
            "ttfat_ms": 100,
            "latency_ms": 200,
        },
    ),
    Case(
        "tool-use-of-anthropic",
        Answer(
            (50, message_start(input_tokens=5, output_tokens=1)),
            (100, block_start({"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}})),
            (200, block_delta({"type": "input_json_delta", "partial_json": '{"city"'})),
            (210, message_end("tool_use", output_tokens=9)),
        ),
        {"outcome": "succeeded", "latency_ms": 200, "finish_reason": "tool_use", "no_flags": "no_answer"},
        protocol="anthropic",
    ),
    Case(
        "refusal",
        _deltas({"content": None, "refusal": "Sorry"}, {"refusal": ", no."}),
        {"outcome": "succeeded", "response": "Sorry, no.", "ttft_ms": 100, "latency_ms": 200, "flags": "refused"},
    ),
    # Events without any text.
    Case(
        "empty-deltas",
        Answer(
            (50, ROLE + chunk({})),
            (70, chunk({"content": None}) + chunk({"content": ""})),
            (80, b'data: {"id":"c1","choices":[]}\n\ndata: {"choices":[{"index":0}]}\n\n'),
            (90, b'data: {"choices":[{"index":0,"delta":null}]}\n\ndata: {"choices":null}\n\n'),
            (100, text("Hi")),
            (200, text(" you")),
            (300, chunk({}, "stop") + usage(3, 2) + DONE),
        ),
        _SAID,
    ),
    Case(
        "text-that-no-database-stores",
        Answer((100, ROLE + text("a\x00b")), (200, chunk({"content": "!"}, "stop") + DONE)),
        {"outcome": "succeeded", "response": "a\ufffdb!", "flags": "unstorable_text_replaced"},
    ),
    Case(
        "bytes-that-are-no-utf-8",
        Answer((100, ROLE + text("aXb").replace(b"X", b"\xff")), (200, chunk({"content": "!"}, "stop") + DONE)),
        {"outcome": "succeeded", "response": "a\ufffdb!", "flags": "invalid_utf8_replaced"},
    ),
)
