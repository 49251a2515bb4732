"""Some thousand damaged answers, and documents that hypothesis makes up. `make fuzz` sends many more."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.protocols.registry import PROTOCOLS
from tests.fuzz.damage import damaged
from tests.fuzz.evidence import ends
from tests.fuzz.junk import JUNK_NAMES, JUNK_VALUES
from tests.fuzz.recorded import recorded_answers
from tests.fuzz.run import Findings, judge, run
from tests.fuzz.sent import Sent, measure
from tests.fuzz.shrink import smallest
from tests.fuzz.stored import store_all

ANSWERS = 2_500
# What JSON can hold, and the names and values that providers use, at any place.
VALUES = st.recursive(
    st.sampled_from(JUNK_VALUES) | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(JUNK_NAMES) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(JUNK_NAMES), VALUES, min_size=1, max_size=5)
PREFIXES = st.sampled_from(
    ["data: ", "data:", "", "event: error\ndata: ", "event: message_delta\ndata: ", "error: ", "x"]
)
SEPARATORS = st.sampled_from(["\n\n", "\n", "\r\n\r\n", "\r", ""])


@pytest.fixture(scope="module")
def findings() -> Findings:
    return run(damaged(f"suite-{number}") for number in range(ANSWERS))


def test_no_damaged_answer_breaks_the_decoder_or_gives_a_record_that_does_not_hold(findings: Findings) -> None:
    assert findings.found == {}
    assert findings.count == ANSWERS
    # The damage is neither so small nor so large that nothing is left to judge.
    assert all(findings.outcomes[outcome] > ANSWERS / 50 for outcome in ("succeeded", "errored", "truncated"))


async def test_a_record_of_each_shape_is_stored_and_read_back_the_same(findings: Findings, database_url: str) -> None:
    records = list(findings.shapes.values())
    assert len(records) > 500
    assert await store_all(database_url, records) == []


def test_what_a_run_adds_up_to_can_be_stored(findings: Findings) -> None:
    restored = type(findings.aggregate).decode(findings.aggregate.encode())
    assert restored is not None
    assert (restored.count, restored.flags) == (findings.aggregate.count, findings.aggregate.flags)


@settings(max_examples=150)
@given(
    st.sampled_from([*PROTOCOLS]),
    st.lists(st.tuples(PREFIXES, DOCUMENTS, SEPARATORS), min_size=1, max_size=4),
    st.sampled_from([200, 200, 200, 400, 429, 500]),
    st.sampled_from(["complete", "lost", "expire"]),
    st.integers(1, 300),
)
def test_no_documents_break_the_decoder(
    protocol: str, documents: list[tuple[str, dict[str, Any], str]], status: int, end: str, size: int
) -> None:
    body = "".join(prefix + json.dumps(document) + separator for prefix, document, separator in documents).encode()
    reads = tuple((start * 1_000, body[start : start + size]) for start in range(0, len(body), size))
    assert judge(Sent("made up", protocol, status, (), reads, end))[1] == []


def test_undamaged_answers_are_judged_without_a_problem_and_most_have_an_end() -> None:
    sent = [
        Sent(answer.name, answer.protocol, answer.status, (("content-type", answer.content_type),), reads, "complete")
        for answer in recorded_answers()
        for reads in [tuple((1_000_000 * number, data) for number, data in enumerate(answer.reads))]
    ]
    assert [judge(one)[1] for one in sent] == [[]] * len(sent)
    assert {answer.protocol for answer in recorded_answers()} == set(PROTOCOLS)
    assert sum(map(ends, sent)) > len(sent) / 3


def test_the_same_seed_gives_the_same_answer_and_record() -> None:
    for number in range(20):
        assert damaged(f"again-{number}") == damaged(f"again-{number}")
        records = [measure(damaged(f"again-{number}")) for _ in range(2)]
        one, other = (replace(record, gaps_ms=None, tokens_over_time=None) for record in records)
        assert one == other


def test_a_success_without_an_end_is_found_and_made_small() -> None:
    """The judge does not take the decoder's word."""
    body = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}\n\n'
    assert not ends(Sent("open", "openai", 200, (), ((0, body),), "complete"))
    ended = Sent("ended", "openai", 200, (("x", "y"),), ((0, body), (1, b"data: [DONE]\n\n")), "complete", slices=1)
    assert ends(ended)
    small = smallest(ended, ends)
    assert (small.body, small.headers) == (b"[DONE]", ())
