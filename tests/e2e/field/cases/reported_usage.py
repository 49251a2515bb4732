"""Public reports about usage and its price. Prices in USD per million tokens stand beside the costs."""

from tests.e2e.field.case import Answer, Case
from tests.e2e.field.wire import (
    DONE,
    HI,
    TEXT_BLOCK,
    block_start,
    block_text,
    choice,
    chunk,
    completion,
    counts,
    data,
    last,
    message_end,
    message_start,
)

CASES = (
    # Reasoning beside the completion: only `total_tokens` tells.
    Case(
        "reasoning-beside-completion",
        Answer(
            (200, chunk({"reasoning_content": "Hm"})),
            (2000, chunk({"content": "Hi"})),
            (
                2300,
                last(
                    " you",
                    10120,
                    1499,
                    14428,
                    prompt_tokens_details={"cached_tokens": 128},
                    completion_tokens_details={"reasoning_tokens": 2809},
                ),
            ),
        ),
        {
            "outcome": "succeeded",
            "output_tokens": 4308,
            "reasoning_tokens": 2809,
            # 9,992 x 3 + 128 x 0.75 + 4,308 x 15
            "cost": 0.094692,
            "flags": "usage_beside_completion",
            "ttft_ms": 200,
            "ttfat_ms": 2000,
            "latency_ms": 2300,
        },
        model="grok-4",
        price="x-ai",
    ),
    Case(
        "reasoning-only-in-the-total",
        Answer(
            (900, HI),
            (950, chunk({"content": " x"}, "stop", usage=counts(20, 198, 623)) + DONE),
        ),
        # 20 x 0.3 + 603 x 2.5
        {"outcome": "succeeded", "output_tokens": 603, "cost": 0.0015135, "flags": "usage_beside_completion"},
        model="gemini-2.5-flash",
        price="google",
    ),
    Case(
        "all-of-it-reasoning-and-no-completion-count",
        Answer(
            (
                900,
                chunk({"role": "assistant"}, "length", usage={"prompt_tokens": 9, "total_tokens": 109}) + DONE,
            ),
        ),
        {"outcome": "succeeded", "output_tokens": 100, "cost": 0.0002527, "no_flags": "usage_missing"},
        model="gemini-2.5-flash",
        price="google",
    ),
    Case(
        "reasoning-inside-the-completion",
        Answer(
            (900, HI),
            (950, last(" x", 500, 500, completion_tokens_details={"reasoning_tokens": 200})),
        ),
        {"outcome": "succeeded", "output_tokens": 500, "reasoning_tokens": 200, "no_flags": "usage_beside_completion"},
    ),
    # Usage at unusual places and under other names.
    Case(
        "usage-in-the-choice",
        Answer(
            (200, HI),
            (300, chunk({"content": " you"})),
            (
                310,
                data(completion(choice({}, "stop", usage=counts(19, 13, cached_tokens=10)))) + DONE,
            ),
        ),
        {
            "outcome": "succeeded",
            "input_tokens": 19,
            "output_tokens": 13,
            "cache_read_tokens": 10,
            "speed_tokens": 13,
            "flags": "usage_misplaced",
            "no_flags": "usage_missing",
            "ttft_ms": 200,
            "latency_ms": 300,
        },
    ),
    Case(
        "cache-hits-under-a-name-of-their-own",
        Answer(
            (200, HI),
            (300, last(" you", 19, 13, prompt_cache_hit_tokens=10, prompt_cache_miss_tokens=9)),
        ),
        {"input_tokens": 19, "output_tokens": 13, "cache_read_tokens": 10, "total_input_tokens": 19},
    ),
    # Cache writes inside the prompt tokens: 12 x 1 + 25,600 x 1.25 + 100 x 5.
    Case(
        "cache-writes-in-the-details",
        Answer(
            (100, HI),
            (
                200,
                last(
                    " x",
                    25612,
                    100,
                    cost=0.032512,
                    prompt_tokens_details={"cached_tokens": 0, "cache_write_tokens": 25600},
                ),
            ),
        ),
        {
            "input_tokens": 25612,
            "total_input_tokens": 25612,
            "cache_write_tokens": 25600,
            "cost": 0.032512,
            "provider_cost_usd": 0.032512,
        },
        model="anthropic/claude-haiku-4.5",
        price="openrouter",
    ),
    Case(
        "cache-writes-said-twice",
        Answer(
            (100, HI),
            (
                200,
                last(
                    " x",
                    25612,
                    100,
                    cache_creation_input_tokens=25600,
                    cache_read_input_tokens=0,
                    prompt_tokens_details={"cached_tokens": 0, "cache_creation_tokens": 25600},
                ),
            ),
        ),
        {"cache_write_tokens": 25600, "cost": 0.032512, "total_input_tokens": 25612},
        model="claude-haiku-4-5",
        price="anthropic",
    ),
    # Cache writes that live for an hour: 3 x 3 + 100,000 x 6 + 2 x 15.
    Case(
        "cache-writes-for-an-hour",
        Answer(
            (
                300,
                message_start(
                    input_tokens=3,
                    output_tokens=1,
                    cache_creation_input_tokens=100000,
                    cache_read_input_tokens=0,
                    cache_creation={"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100000},
                )
                + block_start(TEXT_BLOCK),
            ),
            (400, block_text("a")),
            (500, block_text("b") + message_end(output_tokens=2)),
        ),
        {"cache_write_tokens": 100000, "cache_write_1h_tokens": 100000, "cost": 0.600039},
        protocol="anthropic",
        model="claude-sonnet-4-5",
        price="anthropic",
    ),
    # What the breakdown leaves out lives for five minutes: 100,000 x 3.75.
    Case(
        "cache-writes-larger-than-their-breakdown",
        Answer(
            (
                300,
                message_start(
                    input_tokens=3,
                    output_tokens=1,
                    cache_creation_input_tokens=40000,
                    cache_creation={"ephemeral_5m_input_tokens": 40000, "ephemeral_1h_input_tokens": 0},
                )
                + block_start(TEXT_BLOCK),
            ),
            (400, block_text("a")),
            (500, block_text("b") + message_end(output_tokens=2, cache_creation_input_tokens=100000)),
        ),
        {"cache_write_tokens": 100000, "cost": 0.375039},
        protocol="anthropic",
        model="claude-sonnet-4-5",
        price="anthropic",
    ),
)
