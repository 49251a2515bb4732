"""Reasoning that a model writes into the content."""

import pytest

from shared.benchmark.results.record import ResultRecord
from tests.support.streams import openai_stream
from tests.worker.engine import responses
from tests.worker.engine.measuring import measure


def record_of(*pieces: str) -> ResultRecord:
    """Each event comes 100 ms after the one before."""
    events = [event for event in openai_stream(*pieces).split(b"\n\n") if event]
    return measure("openai", [(100.0 * number, event + b"\n\n") for number, event in enumerate(events, 1)])


@pytest.mark.parametrize(
    "pieces",
    [
        ("<think>", "Let me", " see", "</think>", "\n\n", "Yes", ", 17."),
        ("<th", "ink>Let me", " see</", "think>\n\n", "Yes", ", 17."),
        ("\n<think>\n", "Let me", " see</think>", "Yes", ", 17."),
        ("<thinking>", "Let me", " see", "</thinking>Yes", ", 17."),
    ],
)
async def test_text_between_think_tags_is_reasoning(pieces: tuple[str, ...]) -> None:
    record = record_of(*pieces)
    assert (record.outcome, record.flags.count("think_tags")) == ("succeeded", 1)
    assert record.reasoning is not None
    assert record.reasoning.strip() == "Let me see"
    assert (record.response or "").strip() == "Yes, 17."
    assert (record.ttft_ms or 0) < (record.metrics["ttfat_ms"] or 0) < (record.latency_ms or 0)


@pytest.mark.parametrize("piece", ["<think>Let me see</think>Yes", "<think></think>Yes"])
async def test_tags_that_one_piece_opens_and_closes_are_flagged_in_both_protocols(piece: str) -> None:
    chat = record_of(piece)
    response = responses.read(responses.CREATED, *responses.said(piece), responses.ended())
    for record in (chat, response):
        assert (record.response, record.flags.count("think_tags")) == ("Yes", 1)


@pytest.mark.parametrize("pieces", [("<b>", "bold</b>"), ("<", "th", "e>"), ("Use <think>", " tags")])
async def test_other_tags_are_the_answer(pieces: tuple[str, ...]) -> None:
    record = record_of(*pieces)
    assert (record.response, record.reasoning) == ("".join(pieces), None)
    assert record.ttft_ms == record.metrics["ttfat_ms"]
    assert "think_tags" not in record.flags
