"""Where usage stands, how often it is said, what it contradicts, and what it costs."""

from tests.e2e.field.case import Answer, Case
from tests.e2e.field.wire import (
    DONE,
    HI,
    MESSAGE_STOP,
    ROLE,
    STOP,
    TEXT_BLOCK,
    answer,
    block_start,
    block_stop,
    block_text,
    chunk,
    counts,
    data,
    message_delta,
    message_end,
    message_start,
    text,
    usage,
    whole,
)

_YOU = text(" you")
_KNOWN = {"outcome": "succeeded", "input_tokens": 19, "output_tokens": 13, "no_flags": "usage_missing"}

CASES = (
    # Said several times.
    Case("usage-twice", Answer((50, HI), (90, _YOU + STOP + usage(19, 13) + usage(19, 13) + DONE)), _KNOWN),
    Case(
        "usage-less-the-second-time",
        Answer((50, HI), (90, _YOU + STOP + usage(19, 13) + usage(19, 4) + DONE)),
        {**_KNOWN, "flags": "usage_decreased"},
    ),
    Case(
        "usage-zero-the-second-time",
        Answer((50, HI), (90, _YOU + STOP + usage(19, 13) + usage(0, 0) + DONE)),
        {**_KNOWN, "flags": "usage_decreased"},
    ),
    Case(
        "usage-zero-the-first-time",
        Answer((50, chunk({"content": "Hi"}, usage=counts(0, 0))), (90, _YOU + STOP + usage(19, 13) + DONE)),
        {**_KNOWN, "no_flags": ("usage_decreased", "usage_contradictory")},
    ),
    Case(
        "usage-partly-the-second-time",
        Answer((50, HI), (90, _YOU + STOP + usage(19, 13) + data({"choices": [], "usage": {"cost": 0.5}}) + DONE)),
        {**_KNOWN, "provider_cost_usd": 0.5},
    ),
    Case(
        "usage-in-every-chunk",
        Answer(
            (50, chunk({"content": "Hi"}, usage=counts(19, 1))),
            (90, chunk({"content": " you"}, usage=counts(19, 13)) + STOP + DONE),
        ),
        _KNOWN,
    ),
    Case(
        "usage-null-in-every-chunk",
        Answer(
            (50, chunk({"content": "Hi"}, usage=None)),
            (90, chunk({"content": " you"}, "stop", usage=None) + usage(19, 13) + DONE),
        ),
        _KNOWN,
    ),
    Case("usage-after-done", Answer((50, HI), (90, _YOU + STOP + DONE + usage(19, 13))), _KNOWN),
    # Somewhere else.
    Case(
        "usage-of-groq",
        Answer((50, HI), (90, _YOU + chunk({}, "stop", x_groq={"id": "req_1", "usage": counts(19, 13)}) + DONE)),
        {**_KNOWN, "flags": "usage_misplaced"},
    ),
    Case(
        "usage-in-the-delta",
        Answer((50, HI), (90, _YOU + chunk({"usage": counts(19, 13)}, "stop") + DONE)),
        {**_KNOWN, "flags": "usage_misplaced"},
    ),
    Case(
        "usage-in-the-message",
        Answer(
            (90, whole({"role": "assistant", "content": "Hi", "usage": counts(19, 13)})),
            content_type="application/json",
        ),
        {**_KNOWN, "flags": "usage_misplaced"},
    ),
    # Contradictions and gaps.
    Case(
        "text-but-zero-output-tokens",
        Answer((50, HI), (90, _YOU + STOP + usage(19, 0) + DONE)),
        {"outcome": "succeeded", "output_tokens": None, "cost": None, "flags": "usage_contradictory"},
        model="gpt-4o",
        price="openai",
    ),
    Case(
        "text-but-zero-tokens-of-all",
        Answer((50, HI), (90, _YOU + STOP + usage(0, 0) + DONE)),
        {"outcome": "succeeded", "output_tokens": None, "cost": None, "flags": "usage_contradictory"},
        model="gpt-4o",
        price="openai",
    ),
    Case(
        "text-but-zero-output-tokens-of-anthropic",
        Answer(
            (50, message_start(input_tokens=25, output_tokens=0) + block_start(TEXT_BLOCK) + block_text("Hi")),
            (90, block_text("!") + message_end(output_tokens=0)),
        ),
        {"outcome": "succeeded", "output_tokens": None, "flags": "usage_contradictory"},
        protocol="anthropic",
    ),
    Case(
        "no-usage",
        Answer((50, ROLE), (60, text("a")), (70, text("b")), (80, text("c") + STOP + DONE)),
        {"outcome": "succeeded", "output_tokens": None, "token_source": None, "cost": None, "flags": "usage_missing"},
        model="gpt-4o",
        price="openai",
    ),
    Case(
        "usage-of-a-kind-that-is-no-object",
        Answer((50, HI), (90, chunk({}, "stop", usage=[1, 2]) + DONE)),
        {"outcome": "succeeded", "response": "Hi", "output_tokens": None},
    ),
    # Anthropic: cumulative, never added up.
    Case(
        "anthropic-usage-is-cumulative",
        Answer(
            (50, message_start(input_tokens=25, output_tokens=1) + block_start(TEXT_BLOCK)),
            (90, block_text("Hi") + message_end(output_tokens=15)),
        ),
        {"outcome": "succeeded", "input_tokens": 25, "output_tokens": 15},
        protocol="anthropic",
    ),
    Case(
        "anthropic-usage-in-steps",
        Answer(
            (50, message_start(input_tokens=25, output_tokens=1) + block_start(TEXT_BLOCK) + block_text("Hi")),
            (
                90,
                message_delta(None, output_tokens=4)
                + block_stop()
                + message_delta("end_turn", input_tokens=27, output_tokens=15, cache_read_input_tokens=3)
                + MESSAGE_STOP,
            ),
        ),
        {"outcome": "succeeded", "input_tokens": 27, "output_tokens": 15, "cache_read_tokens": 3},
        protocol="anthropic",
    ),
    Case(
        "cached-tokens-beside-the-input",
        Answer(
            (50, message_start(input_tokens=40, output_tokens=1) + block_start(TEXT_BLOCK) + block_text("Hi")),
            (
                90,
                message_end(
                    input_tokens=40, output_tokens=5, cache_read_input_tokens=60, cache_creation_input_tokens=7
                ),
            ),
        ),
        {"input_tokens": 40, "cache_read_tokens": 60, "cache_write_tokens": 7, "total_input_tokens": 107},
        protocol="anthropic",
    ),
    # Each class once, at its own price: 3 x 1 + 12,304 x 1.25 + 550 x 5.
    Case(
        "each-class-billed-once",
        Answer(
            (
                50,
                message_start(
                    input_tokens=3, output_tokens=1, cache_creation_input_tokens=12304, cache_read_input_tokens=0
                )
                + block_start(TEXT_BLOCK),
            ),
            (90, block_text("Hi")),
            (95, message_end(output_tokens=550)),
        ),
        {"cost": 0.018133, "total_input_tokens": 12307},
        protocol="anthropic",
        model="claude-haiku-4-5",
        price="anthropic",
    ),
    Case(
        "cached-tokens-inside-the-input",
        Answer((50, answer("Hi", usage=usage(100, 5, prompt_tokens_details={"cached_tokens": 60})))),
        # 40 x 2.5 + 60 x 1.25 + 5 x 10
        {"input_tokens": 100, "total_input_tokens": 100, "cache_read_tokens": 60, "cost": 0.000225},
        model="gpt-4o",
        price="openai",
    ),
    Case(
        "a-model-that-nobody-priced",
        Answer((50, HI), (90, STOP + usage(19, 13) + DONE)),
        {"outcome": "succeeded", "output_tokens": 13, "cost": None},
        model="foo-1",
        price="openai",
    ),
)
