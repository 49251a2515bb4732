"""Times and speeds: which tokens count, and when there is no speed."""

from tests.e2e.field.case import Answer, Case, at_most, null_or
from tests.e2e.field.wire import (
    DONE,
    HI,
    ROLE,
    STOP,
    TEXT_BLOCK,
    answer,
    block_delta,
    block_start,
    block_stop,
    block_text,
    chunk,
    counts,
    message_end,
    message_start,
    text,
    usage,
)

# 101 visible tokens in one second.
_VISIBLE = [(1000 + 10 * index, text("w ")) for index in range(101)]
_AS_VISIBLE = {
    "outcome": "succeeded",
    "ttft_ms": 1000,
    "latency_ms": 2000,
    "output_tokens": 1101,
    "reasoning_tokens": 1000,
    "speed_tokens": 101,
    "tpot_tokens": 100,
    "flags": "reasoning_hidden",
}
_DETAILS = {"completion_tokens_details": {"reasoning_tokens": 1000}}
_TOKEN = text("w ")

CASES = (
    Case(
        "hidden-reasoning-inside",
        Answer((50, ROLE), *_VISIBLE, (2005, STOP + usage(10, 1101, **_DETAILS) + DONE)),
        _AS_VISIBLE,
    ),
    Case(
        "hidden-reasoning-beside",
        Answer((50, ROLE), *_VISIBLE, (2005, STOP + usage(10, 101, 1111, **_DETAILS) + DONE)),
        _AS_VISIBLE,
    ),
    Case(
        "hidden-reasoning-counted-by-anthropic",
        Answer(
            (50, message_start(input_tokens=10, output_tokens=1)),
            (60, block_start({"type": "thinking", "thinking": "", "signature": ""})),
            (990, block_stop() + block_start(TEXT_BLOCK, 1)),
            *[(at, block_text("w ", 1)) for at, _ in _VISIBLE],
            (2005, message_end(index=1, output_tokens=1101, output_tokens_details={"thinking_tokens": 1000})),
        ),
        _AS_VISIBLE,
        protocol="anthropic",
    ),
    Case(
        "no-reasoning-at-all",
        Answer(
            (100, HI),
            (300, text(" you")),
            (305, STOP + usage(10, 2, completion_tokens_details={"reasoning_tokens": 0}) + DONE),
        ),
        {"outcome": "succeeded", "speed_tokens": 2, "tpot_tokens": 1, "no_flags": "reasoning_hidden"},
    ),
    Case(
        "redacted-thinking-of-unknown-length",
        Answer(
            (50, message_start(input_tokens=10, output_tokens=1)),
            (60, block_start({"type": "redacted_thinking", "data": "RW5j"}) + block_stop()),
            (500, block_start(TEXT_BLOCK, 1) + block_text("Yes", 1)),
            (600, block_text(", 17.", 1) + message_end(index=1, output_tokens=900)),
        ),
        {"outcome": "succeeded", "tokens_per_second": None, "tpot_ms": None, "flags": "reasoning_hidden"},
        protocol="anthropic",
    ),
    Case(
        "shown-thinking",
        Answer(
            (50, message_start(input_tokens=10, output_tokens=1)),
            (100, block_start({"type": "thinking", "thinking": "", "signature": ""})),
            (300, block_delta({"type": "thinking_delta", "thinking": "Hm"})),
            (500, block_delta({"type": "signature_delta", "signature": "c2ln"}) + block_stop()),
            (900, block_start(TEXT_BLOCK, 1) + block_text("Yes", 1) + message_end(index=1, output_tokens=7)),
        ),
        {
            "outcome": "succeeded",
            "ttft_ms": 300,
            "ttfat_ms": 900,
            "latency_ms": 900,
            "reasoning": "Hm",
            "response": "Yes",
            "no_flags": "reasoning_hidden",
            "speed_tokens": 7,
        },
        protocol="anthropic",
    ),
    Case(
        "reasoning-then-the-answer",
        Answer((200, chunk({"reasoning_content": "Let me think"})), (1200, answer("Yes", usage=usage(10, 9)))),
        {
            "outcome": "succeeded",
            "ttft_ms": 200,
            "ttfat_ms": 1200,
            "latency_ms": 1200,
            "reasoning": "Let me think",
            "response": "Yes",
        },
    ),
    # Several tokens in an event.
    Case(
        "four-tokens-an-event",
        Answer(
            *[(100 + 40 * index, text("four tokens in one")) for index in range(4)],
            (221, STOP + usage(10, 16) + DONE),
        ),
        {"ttft_ms": 100, "latency_ms": 220, "tpot_tokens": 15, "speed_tokens": 16},
    ),
    Case(
        "first-of-two-events-holds-most-tokens",
        Answer(
            (100, chunk({"content": "w " * 90}, usage=counts(10, 90))),
            (300, chunk({"content": "w " * 10}, usage=counts(10, 100))),
            (305, chunk({}, "stop", usage=counts(10, 100)) + DONE),
        ),
        {"output_tokens": 100, "tpot_tokens": 10, "speed_tokens": 100},
    ),
    # Bursts.
    Case(
        "thousand-tokens-in-two-reads",
        Answer((800, ROLE + 500 * _TOKEN), (800.05, 500 * _TOKEN + STOP + usage(10, 1000) + DONE)),
        {"outcome": "succeeded", "ttft_ms": 800, "tokens_per_second": None, "tpot_ms": None, "flags": "buffered"},
    ),
    Case(
        "thousand-tokens-in-one-read",
        Answer((800, ROLE + 1000 * _TOKEN + STOP + usage(10, 1000) + DONE)),
        {"outcome": "succeeded", "ttft_ms": 800, "tokens_per_second": None, "tpot_ms": None, "flags": "buffered"},
    ),
    Case(
        "burst-after-one-token",
        Answer(
            (200, HI),
            (1500, 300 * _TOKEN),
            (1500.5, 300 * _TOKEN),
            (1501, 300 * _TOKEN + STOP + usage(10, 901) + DONE),
        ),
        {"outcome": "succeeded", "ttft_ms": 200, "tokens_per_second": null_or(at_most(1000))},
    ),
    Case(
        "fast-but-steady",
        Answer(
            (200, HI),
            *[(200 + 5 * index, 5 * _TOKEN) for index in range(1, 41)],
            (405, STOP + usage(10, 201) + DONE),
        ),
        {"outcome": "succeeded", "speed_tokens": 201, "tpot_tokens": 200, "no_flags": "buffered"},
    ),
    # Too few tokens for a speed.
    Case(
        "one-token",
        Answer((100, answer("Hi", usage=usage(10, 1)))),
        {
            "outcome": "succeeded",
            "ttft_ms": 100,
            "latency_ms": 100,
            "tokens_per_second": None,
            "tpot_ms": None,
            "max_stall_ms": None,
            "no_flags": "buffered",
        },
    ),
    Case(
        "empty-answer-with-a-finish-reason",
        Answer((100, answer("", usage=usage(10, 0)))),
        {
            "outcome": "succeeded",
            "output_tokens": 0,
            "ttft_ms": None,
            "latency_ms": None,
            "tokens_per_second": None,
            "no_flags": ("usage_missing", "usage_contradictory"),
        },
    ),
    Case(
        "longer-than-max-tokens",
        Answer((100, HI), (200, text("!") + STOP + usage(10, 150) + DONE)),
        {"outcome": "succeeded", "flags": "max_tokens_ignored"},
        max_tokens=100,
    ),
)
