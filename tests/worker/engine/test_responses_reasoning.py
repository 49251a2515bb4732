"""Reasoning of responses: shown, summarised or hidden, and what it does to the speed."""

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
    read,
    said,
    used,
)


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
