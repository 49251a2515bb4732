"""Reasoning that a model writes into the content."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.benchmark.results.record import ResultRecord
from shared.numbers.timeline import EventKind, decode
from tests.support.streams import anthropic_stream, openai_chunk, openai_stream, sse
from tests.worker.engine import responses
from tests.worker.engine.measuring import measure
from worker.engine.answer import MAX_TEXT


def of_stream(protocol: str, stream: bytes) -> ResultRecord:
    """Each event comes 100 ms after the one before."""
    events = [event for event in stream.split(b"\n\n") if event]
    return measure(protocol, [(100.0 * number, event + b"\n\n") for number, event in enumerate(events, 1)])


def record_of(*pieces: str, usage: dict[str, Any] | None = None) -> ResultRecord:
    """The first piece comes at 200 ms."""
    return of_stream("openai", openai_stream(*pieces, usage=usage))


def tokens_of(record: ResultRecord) -> list[tuple[float, str]]:
    """When the events with text came (ms), and what they are."""
    events = decode(record.timeline or b"")
    kinds = (EventKind.CONTENT, EventKind.REASONING, EventKind.TOOL)
    return [(event.offset_us / 1_000, event.kind.name) for event in events if event.kind in kinds]


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


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<think>", "</think>"),
        ("<thought>", "</thought>"),
        ("<reasoning>", "</reasoning>"),
        ("<seed:think>", "</seed:think>"),
        ("[THINK]", "[/THINK]"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ],
)
def test_each_kind_of_tag_is_known_wherever_it_is_cut(opening: str, closing: str) -> None:
    whole = record_of(opening, "Hm [a] <b>", closing, "Yes")
    cut = record_of(opening[:1], opening[1:-1], opening[-1:] + "Hm [a] <b>", closing[:-1], closing[-1:] + "Yes")
    for record in (whole, cut):
        assert (record.reasoning, record.response, record.flags) == (
            "Hm [a] <b>",
            "Yes",
            ["think_tags", "usage_missing"],
        )
    assert [kind for _, kind in tokens_of(whole)] == ["REASONING", "REASONING", "REASONING", "CONTENT"]
    assert [kind for _, kind in tokens_of(cut)] == ["REASONING"] * 4 + ["CONTENT"]


def test_a_call_after_a_closing_tag_follows_reasoning() -> None:
    deltas = [{"content": "I call f."}, {"content": "</think>"}, {"tool_calls": [{"function": {"name": "f"}}]}]
    record = of_stream("openai", sse(*map(openai_chunk, deltas), openai_chunk({}, "tool_calls"), "[DONE]"))
    assert (record.reasoning, record.response) == ("I call f.", "f")
    assert [kind for _, kind in tokens_of(record)] == ["REASONING", "REASONING", "TOOL"]


def test_only_its_own_closing_tag_ends_reasoning() -> None:
    record = record_of("<think>", "They want <thought> and </thought>", "</think>", "Yes")
    assert (record.reasoning, record.response) == ("They want <thought> and </thought>", "Yes")


@pytest.mark.parametrize(
    "pieces",
    [
        ("<think>", "\nhm", "</think>", "\n\n", "Four"),
        ("<th", "ink>\nhm", "</thi", "nk>\n", "Four"),
        ("<think>", "\nhm", "</think>\n", "\n", "Four"),
    ],
)
def test_a_tag_is_a_token_however_it_is_cut(pieces: tuple[str, ...]) -> None:
    """TTFT, speed and gaps do not depend on the tokeniser. Line breaks after the tag are not yet the answer."""
    record = record_of(*pieces, usage={"prompt_tokens": 3, "completion_tokens": 5})
    assert [at_ms for at_ms, _ in tokens_of(record)] == [200, 300, 400, 500, 600]
    assert (record.ttft_ms, record.metrics["ttfat_ms"], record.latency_ms) == (200, 600, 600)
    assert (record.metrics["tokens_per_second"], record.metrics["tpot_ms"]) == (pytest.approx(12.5), 100)
    assert (record.reasoning, record.response) == ("\nhm", "Four")


def test_tags_with_nothing_between_them_are_tokens_and_no_text() -> None:
    record = record_of("<think>", "</think>", "Yes")
    assert (record.ttft_ms, record.metrics["ttfat_ms"]) == (200, 400)
    assert (record.reasoning, record.response) == (None, "Yes")


@pytest.mark.parametrize(
    "pieces",
    [
        ("Okay", ", let me", " think", "</think>", "Four"),
        ("Okay", ", let me", " think.\n", "</think>\n\n", "Four"),
        ("Okay", ", let me", " think\n</th", "ink>", "\n\nFour"),
        ("Okay", ", let", " me think", "</", "think>\n\nFour"),
        ("<", "b> `x` is", " bold", "</think>", "Four"),
        ("The user wants <reasoning> tags", " and", " `</thought>`.", "</think>", "Four"),
        ("Okay", " so", " [THI", "[/THINK]", "Four"),
    ],
)
def test_reasoning_may_have_its_opening_tag_in_the_prompt(pieces: tuple[str, ...]) -> None:
    record = record_of(*pieces)
    closing = next(tag for tag in ("</think>", "[/THINK]") if tag in "".join(pieces))
    before, _, after = "".join(pieces).partition(closing)
    assert (record.reasoning, record.response) == (before, after.strip())
    assert (record.ttft_ms, record.metrics["ttfat_ms"], record.latency_ms) == (200, 600, 600)
    assert [kind for _, kind in tokens_of(record)] == ["REASONING"] * 4 + ["CONTENT"]
    assert record.flags == ["think_tags", "usage_missing"]


@pytest.mark.parametrize(
    "pieces",
    [
        # In prose and in code.
        ("It ends", " with ", "</think>", " and then"),
        ("It ends with", " </think>"),
        ("It ends with '</think>'", "."),
        ("It ends with\n", "</think>, which"),
        ("Use `", "</think>", "`."),
        ("Write `text", "</think>", "`."),
        ("```xml\n", "hm\n", "</think>", "\n```\n"),
        ("text.split(", '"</think>"', ")"),
        # What comes next tells, in whatever event it comes.
        ('{"tag": "end', "</think>", '", "x": 1}'),
        ("It ends with", "</think>"),
        # With an opening one.
        ("Write:\n", "<think>\n", "hm\n", "</think>", "\nYes"),
        ("Write <think>hm", "</think>", "\nYes"),
        ("Pieces of <th", "ink>hm", "</think>", "Yes"),
        # Only the first one may end reasoning.
        ("It ends with </think>", " as\n", "</think>", "\nhere"),
    ],
)
def test_an_answer_may_speak_of_a_tag(pieces: tuple[str, ...]) -> None:
    record = record_of(*pieces)
    assert (record.response, record.reasoning, record.flags) == ("".join(pieces), None, ["usage_missing"])
    assert {kind for _, kind in tokens_of(record)} == {"CONTENT"}


@pytest.mark.parametrize(
    ("beside", "reasoning", "response"),
    [
        ({"reasoning_content": "Why"}, "Why", "Hm</think>Yes"),
        ({"tool_calls": [{"function": {"name": "f"}}]}, None, "fHm</think>Yes"),
        ({"refusal": "No."}, None, "No.Hm</think>Yes"),
    ],
)
def test_text_beside_the_content_leaves_no_reasoning_without_an_opening_tag(
    beside: dict[str, Any], reasoning: str | None, response: str
) -> None:
    deltas = [beside, {"content": "Hm"}, {"content": "</think>"}, {"content": "Yes"}]
    record = of_stream("openai", sse(*map(openai_chunk, deltas), openai_chunk({}, "stop"), "[DONE]"))
    assert (record.reasoning, record.response) == (reasoning, response)
    assert "think_tags" not in record.flags


def test_a_call_before_the_content_stays_a_call_whatever_the_content_begins_with() -> None:
    deltas = [{"tool_calls": [{"function": {"name": "f"}}]}, {"content": "<th"}, {"content": "ink>"}]
    record = of_stream("openai", sse(*map(openai_chunk, deltas), openai_chunk({}, "stop"), "[DONE]"))
    assert (record.reasoning, record.response) == (None, "f<think>")


def test_reasoning_that_turns_out_late_is_cut_like_any_other() -> None:
    record = record_of("x" * (MAX_TEXT - 1), "yz</th", "ink>", "Four")
    assert (record.response, record.flags) == ("Four", ["text_cut", "think_tags", "usage_missing"])
    assert record.reasoning == "x" * (MAX_TEXT - 1) + "y"


@pytest.mark.parametrize("closing", ["</think>", "\n</think>\n\n"])
@pytest.mark.parametrize("opening", ["<think>", ""])
def test_messages_have_think_tags_too(opening: str, closing: str) -> None:
    record = of_stream("anthropic", anthropic_stream(f"{opening}Hm", closing, "Yes"))
    assert ((record.reasoning or "").strip(), record.response) == ("Hm", "Yes")
    assert [kind for _, kind in tokens_of(record)] == ["REASONING", "REASONING", "CONTENT"]
    assert record.flags == ["think_tags"]


@given(st.lists(st.integers(0, 60), max_size=12), st.sampled_from(["<think>", " <think>\n", ""]))
def test_where_the_events_are_cut_does_not_change_the_text(cuts: list[int], opening: str) -> None:
    text = f"{opening}Hm <b> a[0]</th> so.\n</think>\n\nYes <think> `</think>` it is"
    edges = [0, *sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    record = record_of(*[text[start:end] for start, end in pairwise(edges) if start < end])
    assert ((record.reasoning or "").strip(), record.response) == (
        "Hm <b> a[0]</th> so.",
        "Yes <think> `</think>` it is",
    )
