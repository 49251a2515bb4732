"""Token counts as servers report them, under all names and at all places."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.benchmark.results.flags import FLAGS
from shared.benchmark.results.record import Usage
from shared.protocols.usage import MAX_TOKENS, UsageReader, find_usage, without_contradictions


def read(*reports: dict[str, Any], cache_in_input: bool = True) -> tuple[Usage, set[str]]:
    reader, usage = UsageReader(cache_in_input=cache_in_input), Usage()
    for report in reports:
        usage = reader.read(report)
    return usage, reader.flags


def counts(usage: Usage) -> tuple[int | None, int | None, int | None, int | None, int | None]:
    """Input, output, reasoning, cache reads, cache writes."""
    return (
        usage.input_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
    )


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        # OpenAI: reasoning inside the completion.
        (
            {
                "prompt_tokens": 500,
                "completion_tokens": 500,
                "total_tokens": 1000,
                "completion_tokens_details": {"reasoning_tokens": 200},
            },
            (500, 500, 200, None, None),
        ),
        # xAI: reasoning beside the completion.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 115,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            (10, 105, 100, None, None),
        ),
        # The same without a total: reasoning cannot be more than the completion that holds it.
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 100}},
            (10, 105, 100, None, None),
        ),
        # Gemini's gateways: thinking in the total alone, or no completion at all.
        ({"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623}, (20, 603, 405, None, None)),
        ({"prompt_tokens": 9, "total_tokens": 109}, (9, 100, None, None, None)),
        # Gemini's own names.
        (
            {
                "promptTokenCount": 9,
                "candidatesTokenCount": 4,
                "thoughtsTokenCount": 6,
                "totalTokenCount": 19,
                "cachedContentTokenCount": 3,
            },
            (9, 10, 6, 3, None),
        ),
        # Names in camel case: Bedrock's, and those of Vercel's SDK.
        (
            {"inputTokens": 9, "outputTokens": 4, "totalTokens": 16, "cacheReadInputTokens": 3},
            (9, 4, None, 3, None),
        ),
        ({"inputTokenCount": 9, "outputTokenCount": 4}, (9, 4, None, None, None)),
        (
            {"promptTokens": 9, "completionTokens": 4, "totalTokens": 13, "reasoningTokens": 2},
            (9, 4, 2, None, None),
        ),
        # Cached tokens under the names of OpenAI, Moonshot, DeepSeek, Anthropic.
        ({"prompt_tokens": 19, "prompt_tokens_details": {"cached_tokens": 10}}, (19, None, None, 10, None)),
        ({"prompt_tokens": 19, "cached_tokens": 10}, (19, None, None, 10, None)),
        (
            {"prompt_tokens": 19, "prompt_cache_hit_tokens": 10, "prompt_cache_miss_tokens": 9},
            (19, None, None, 10, None),
        ),
        ({"prompt_tokens": 19, "cache_read_input_tokens": 10}, (19, None, None, 10, None)),
        # Written tokens under the names of OpenRouter and LiteLLM.
        (
            {"prompt_tokens": 99, "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 90}},
            (99, None, None, 0, 90),
        ),
        (
            {
                "prompt_tokens": 99,
                "cache_creation_input_tokens": 90,
                "prompt_tokens_details": {"cache_creation_tokens": 90},
            },
            (99, None, None, None, 90),
        ),
        # Words about the cache that are no counts of ours.
        (
            {"prompt_tokens": 3, "cache_discount": 0.5, "cache_read_cost": 1, "uncached_tokens": 3},
            (3, None, None, None, None),
        ),
    ],
)
def test_counts_are_read_as_they_are_meant(report: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    assert counts(read(report)[0]) == expected


def test_cached_tokens_beside_the_input_are_not_taken_for_output() -> None:
    usage, _ = read(
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 1015,
            "prompt_tokens_details": {"cached_tokens": 1000},
        }
    )
    assert (usage.output_tokens, usage.uncached_input_tokens, usage.total_input_tokens) == (5, 10, 1010)
    usage, _ = read({"prompt_tokens": 2000, "completion_tokens": 5, "total_tokens": 3005, "cached_tokens": 1000})
    assert (usage.output_tokens, usage.uncached_input_tokens, usage.total_input_tokens) == (5, 2000, 3000)


def test_writes_that_live_for_an_hour_are_a_part_of_the_writes() -> None:
    usage, _ = read(
        {
            "input_tokens": 3,
            "cache_creation_input_tokens": 40_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 30_000, "ephemeral_1h_input_tokens": 10_000},
        },
        {"output_tokens": 2, "cache_creation_input_tokens": 100_000},
        cache_in_input=False,
    )
    assert (usage.cache_write_tokens, usage.cache_write_1h_tokens) == (100_000, 10_000)
    assert usage.total_input_tokens == 100_003


def test_counts_of_a_stream_never_shrink_and_what_is_left_out_says_nothing() -> None:
    usage, flags = read(
        {"prompt_tokens": 7, "completion_tokens": 0},
        {"prompt_tokens": 7, "completion_tokens": 40, "completion_tokens_details": {"reasoning_tokens": 4}},
        {"prompt_tokens": 0, "completion_tokens": 12},
        {"completion_tokens": None},
    )
    assert counts(usage) == (7, 40, 4, None, None)
    assert flags == {"usage_decreased"}


@pytest.mark.parametrize(
    "value",
    [9223372036854775808, MAX_TOKENS + 1, -1, 1e300, 12.5, float("inf"), float("nan"), True, "12", "9" * 5000],
)
def test_counts_out_of_range_are_unknown_and_flagged(value: Any) -> None:
    usage, flags = read({"prompt_tokens": 5, "completion_tokens": value})
    assert counts(usage) == (5, None, None, None, None)
    assert flags == {"usage_out_of_range"}
    # Other counts do not tell what the server meant.
    assert read({"prompt_tokens": 5, "completion_tokens": value, "total_tokens": 9})[0].output_tokens is None


@pytest.mark.parametrize("value", [12, 12.0])
def test_a_whole_number_counts(value: Any) -> None:
    assert read({"completion_tokens": value}) == (Usage(output_tokens=12, cache_in_input=True), set())


def test_reasoning_beyond_the_output_is_unknown() -> None:
    usage, flags = read(
        {
            "prompt_tokens": 1,
            "completion_tokens": 5,
            "total_tokens": 6,
            "completion_tokens_details": {"reasoning_tokens": 9},
        }
    )
    assert counts(usage) == (1, 5, None, None, None)
    assert usage.reasoning_unknown
    assert flags == {"usage_contradictory"}


@pytest.mark.parametrize(
    ("report", "cost"),
    [
        ({"cost": 0.032512}, Decimal("0.032512")),
        ({"cost": {"total_cost": 0.5}}, Decimal("0.5")),
        ({"estimated_cost": "0.25"}, Decimal("0.25")),
        ({"cost_in_usd_ticks": 5_000_000}, Decimal("0.0005")),
        ({"cost": 0}, Decimal(0)),
        ({"cost": -1}, None),
        ({"cost": 1e300}, None),
        ({"cost": "1e999999999"}, None),
        ({"cost": "free"}, None),
        ({"cost": True}, None),
        ({}, None),
    ],
)
def test_the_providers_own_cost_is_read(report: dict[str, Any], cost: Decimal | None) -> None:
    reader = UsageReader(cache_in_input=True)
    reader.read(report)
    assert reader.provider_cost_usd == cost


def test_usage_is_found_wherever_it_stands() -> None:
    usage = {"prompt_tokens": 1}
    assert find_usage({"usage": usage}) == (usage, True)
    for document in (
        {"choices": [{"delta": {}, "usage": usage}]},
        {"x_groq": {"usage": usage}, "usage": None},
        {"x_groq": {"usage": usage}, "usage": {}},
        {"x_groq": {"usage": usage}, "usage": {"prompt_tokens": None, "prompt_tokens_details": {}}},
        {"message": {"usage": usage}},
        {"response": {"usageMetadata": usage}},
    ):
        assert find_usage(document) == (usage, False)
    assert find_usage({"choices": [{"delta": {"content": "usage"}}], "usage": None}) is None
    assert find_usage({"usage": {}}) is None


def test_text_without_output_tokens_and_a_prompt_without_input_tokens_are_contradictions() -> None:
    zero = Usage(input_tokens=0, output_tokens=0)
    assert without_contradictions(zero, text_arrived=True) == (Usage(), True)
    cached = Usage(input_tokens=0, output_tokens=0, cache_read_tokens=9)
    assert without_contradictions(cached, text_arrived=False) == (cached, False)


NAMES = st.sampled_from(
    (
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "ephemeral_1h_input_tokens",
        "ephemeral_5m_input_tokens",
        "cost",
        "usage",
        "details",
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=8), max_size=4), st.booleans())
def test_no_report_breaks_the_reader_and_no_count_is_out_of_range(
    reports: list[dict[str, Any]], cache_in_input: bool
) -> None:
    usage, flags = read(*reports, cache_in_input=cache_in_input)
    for count in (*counts(usage), usage.cache_write_1h_tokens, usage.total_input_tokens):
        assert count is None or 0 <= count <= 4 * MAX_TOKENS
    if usage.reasoning_tokens is not None and usage.output_tokens is not None:
        assert usage.reasoning_tokens <= usage.output_tokens
    assert flags <= FLAGS.keys()


@pytest.mark.parametrize(
    ("report", "unknown"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": -1}}, True),
        ({"prompt_tokens": 9, "completion_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": "many"}}, True),
        ({"prompt_tokens": 9, "completion_tokens": 3, "completion_tokens_details": {"reasoning_tokens": -1}}, False),
        ({"prompt_tokens": 9, "completion_tokens": 3}, False),
    ],
)
def test_a_wrong_count_of_cached_tokens_is_not_the_absence_of_them(report: dict[str, Any], unknown: bool) -> None:
    reader = UsageReader(cache_in_input=True)
    assert reader.read(report).cache_unknown is unknown
    # A later report that is right makes it known.
    details = {"cached_tokens": 4, "cache_write_tokens": 0}
    more = reader.read({"prompt_tokens_details": details, "cache_creation": {"ephemeral_1h_input_tokens": 0}})
    assert not more.cache_unknown
