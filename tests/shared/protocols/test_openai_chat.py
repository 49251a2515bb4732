"""Shapes in which chat-completions servers send text, calls and costs."""

from decimal import Decimal
from typing import Any

import pytest

from shared.benchmark.results.record import ResultRecord
from tests.support.streams import openai_chunk, sse
from tests.worker.engine.measuring import measure


def record_of(*choices: dict[str, Any]) -> ResultRecord:
    """Each chunk with such a choice comes 100 ms after the one before."""
    chunks = [sse({**openai_chunk({}), "choices": [{"index": 0, **choice}]}) for choice in choices]
    end = sse(openai_chunk({}, "stop"), "[DONE]")
    return measure("openai", [(100.0 * number, data) for number, data in enumerate([*chunks, end], 1)])


def test_a_text_that_the_choice_says_beside_its_delta_counts_once() -> None:
    """Together says each token twice."""
    said = [{"text": text, "delta": {"token_id": 1, "content": text, "tool_calls": None}} for text in ("Hello", " you")]
    record = record_of(*said)
    assert record.response == "Hello you"
    assert record.gaps_ms is not None
    assert record.gaps_ms.count == 1


def test_the_text_of_a_choice_counts_if_its_delta_has_none() -> None:
    record = record_of({"text": "<think>Hm", "delta": {"content": ""}}, {"text": "</think>"}, {"text": "Yes"})
    assert (record.reasoning, record.response) == ("Hm", "Yes")


def test_a_whole_message_beside_an_empty_delta_is_the_answer() -> None:
    """Perplexity answers so if it does not stream."""
    message = {"role": "assistant", "content": "Full answer"}
    record = record_of({"message": message, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"})
    assert (record.outcome, record.response, record.ttft_ms) == ("succeeded", "Full answer", 100)
    assert "not_streamed" in record.flags
    assert "no_answer" not in record.flags


@pytest.mark.parametrize("empty", ["", None])
@pytest.mark.parametrize("begun", ["", "Hel"])
def test_a_message_that_repeats_the_deltas_is_not_counted(begun: str, empty: str | None) -> None:
    said = [(empty, begun), ("Hel", "Hel"), ("lo", "Hello"), (empty, "Hello")]
    record = record_of(*({"delta": {"content": text}, "message": {"content": whole}} for text, whole in said))
    assert (record.response, record.ttft_ms, record.latency_ms) == ("Hello", 200, 300)
    assert "not_streamed" not in record.flags


@pytest.mark.parametrize("listed", [True, False])
def test_a_tool_call_may_stand_alone(listed: bool) -> None:
    call = {"function": {"name": "get_weather", "arguments": "{}"}}
    record = record_of({"delta": {"tool_calls": [call] if listed else call}})
    assert (record.response, record.metrics["ttfat_ms"]) == ("get_weather{}", 100)


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_cost_may_stand_in_a_document_of_its_own(place: str) -> None:
    cost, done = sse({"choices": [], "cost": "0.0012"}), sse("[DONE]")
    end = cost + done if place == "before" else done + cost
    record = measure("openai", [(100, sse(openai_chunk({"content": "Hi"}, "stop"))), (200, end)])
    assert (record.outcome, record.provider_cost_usd) == ("succeeded", Decimal("0.0012"))


SUMMARIES = [
    {"reasoning": "**Weighing", "reasoning_details": [{"type": "reasoning.summary", "summary": "**Weighing"}]},
    {"reasoning_details": [{"type": "reasoning.summary", "summary": "**Weighing"}]},
    {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "**Weighing"}]}]},
    {"content": "**Weighing", "extra_content": {"google": {"thought": True}}},
    {"content": "<thought>**Weighing</thought>", "extra_content": {"google": {"thought": True}}},
]


@pytest.mark.parametrize(("billed", "known"), [(5, False), (0, True), (None, True)])
@pytest.mark.parametrize("delta", SUMMARIES, ids=["OpenRouter", "details alone", "Databricks", "Gemini", "with tags"])
def test_a_summary_of_billed_reasoning_leaves_the_speed_unknown(
    delta: dict[str, Any], billed: int | None, known: bool
) -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": billed}}
    usage = openai_chunk(None, usage={"prompt_tokens": 3, "completion_tokens": 20, **details})
    chunks = [
        openai_chunk(delta),
        openai_chunk({"content": "Four"}),
        openai_chunk({"content": " it is"}, "stop"),
        usage,
    ]
    record = measure("openai", [(100.0 * number, sse(chunk)) for number, chunk in enumerate(chunks, 1)])
    assert (record.reasoning, record.response) == ("**Weighing", "Four it is")
    assert (record.ttft_ms, record.metrics["ttfat_ms"]) == (100, 200)
    assert (record.metrics["tokens_per_second"] is not None, "reasoning_hidden" not in record.flags) == (known, known)


def test_geminis_thoughts_between_tags_are_reasoning_and_a_summary() -> None:
    marked = {"extra_content": {"google": {"thought": True}}, "role": "assistant"}
    usage = {"prompt_tokens": 40, "completion_tokens": 101, "total_tokens": 1127}
    record = measure(
        "openai",
        [
            (1000, sse(openai_chunk({"content": "<thought>**A**", **marked}))),
            (3000, sse(openai_chunk({"content": "**B**", **marked}))),
            (5000, sse(openai_chunk({"content": "</thought>Four", "role": "assistant"}))),
            (6000, sse(openai_chunk({"content": " is it"}, "stop", usage=usage), "[DONE]")),
        ],
    )
    assert (record.reasoning, record.response, record.usage.reasoning_tokens) == ("**A****B**", "Four is it", 986)
    assert (record.ttft_ms, record.metrics["ttfat_ms"], record.metrics["tokens_per_second"]) == (1000, 5000, None)
