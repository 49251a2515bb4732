"""The most tokens that a request can take."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.benchmark.extra_body import ExtraFields
from shared.benchmark.prompt import Parameters
from shared.benchmark.request_id import RequestId
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.benchmark.worst_case import AROUND_A_MESSAGE, AROUND_A_REQUEST, WorstCase
from shared.workloads.loads import load_of


def cost(read: int, written: int) -> int:
    return read + 1_000_000 * written


def worst(extra: ExtraFields | None = None, **fields: Any) -> WorstCase:
    body = {"name": "n", "model": "m", "prompts": ["p" * 40], "parameters": {"max_tokens": 100}}
    spec = BenchmarkSpec.model_validate({**body, **fields}).with_defaults()
    return WorstCase(load_of(spec).workload, cost, extra or ExtraFields())


class Talk(Workload):
    """A conversation of three turns, of 10 characters each."""

    has_turns = True

    @property
    def length(self) -> int | None:
        return None

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        if turn > 2:
            return None
        messages = [{"role": "user", "content": "q" * 10}]
        for answer in answers[:turn]:
            messages += [{"role": "assistant", "content": answer}] if answer else []
            messages.append({"role": "user", "content": "q" * 10})
        return WorkItem(RequestId(place, turn), turn, place, "m", messages, None, Parameters(max_tokens=50))

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return RequestId(repetition, prompt_index)


def test_a_token_is_taken_for_a_byte_and_the_output_for_all_that_is_allowed() -> None:
    [most] = worst(prompts=["ä" * 40], system="s" * 8).tokens(0)
    assert most == (80 + 8 + AROUND_A_REQUEST + 2 * AROUND_A_MESSAGE, 100)


def test_the_place_of_a_list_has_one_request_and_the_one_after_the_list_none() -> None:
    found = worst()
    assert found.of_place(0) == [cost(40 + AROUND_A_REQUEST + 2 * AROUND_A_MESSAGE, 100)]
    assert found.of_place(1) == []


def test_later_turns_carry_the_answers_before() -> None:
    found = WorstCase(Talk(), cost)
    around = AROUND_A_REQUEST + AROUND_A_MESSAGE
    expected = [
        (10 + around + AROUND_A_MESSAGE, 50),
        (20 + around + 2 * AROUND_A_MESSAGE + 50 + AROUND_A_MESSAGE, 50),
        (30 + around + 3 * AROUND_A_MESSAGE + 2 * (50 + AROUND_A_MESSAGE), 50),
    ]
    assert [tuple(most) for most in found.tokens(7)] == expected
    # Of one that goes on, only what is left, with the answers that are known.
    rest = list(found.tokens(7, 1, ["a" * 200]))
    assert [most.input for most in rest] == [
        20 + 200 + around + 3 * AROUND_A_MESSAGE,
        30 + 200 + around + 4 * AROUND_A_MESSAGE + 50 + AROUND_A_MESSAGE,
    ]


def test_further_fields_are_read_as_text_and_may_ask_for_several_answers() -> None:
    tools = {"tools": [{"type": "function", "function": {"name": "look", "description": "d" * 300}}], "n": 3}
    [plain], [more] = worst().tokens(0), worst(ExtraFields({}, tools)).tokens(0)
    assert more.input > plain.input + 300
    assert more.output == 3 * 100


def test_a_named_tokenizer_counts_with_a_margin() -> None:
    fields = {"input_tokens": 1_000, "source": "generated", "tokenizer": "o200k"}
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "m", "prompts": (), "workload": fields}).with_defaults()
    workload = load_of(spec).workload
    place = 1_000_000
    [by_bytes] = WorstCase(workload, cost).tokens(place)
    [by_tokenizer] = WorstCase(workload, cost, token_factor=1.0).tokens(place)
    assert 1_200 <= by_tokenizer.input <= 1_200 + AROUND_A_REQUEST + 3 * AROUND_A_MESSAGE < by_bytes.input


def test_a_request_without_max_tokens_has_no_bound() -> None:
    class Open(Talk):
        has_turns = False

        def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
            return WorkItem(RequestId(place), 0, place, "m", [{"role": "user", "content": "q"}], None, Parameters())

    assert WorstCase(Open(), cost).of_place(0) is None
    assert WorstCase(Open(), cost).of_request(0, 0) == 0


@pytest.mark.parametrize(("place", "turn", "known"), [(0, 0, True), (0, 1, False), (1, 0, False)])
def test_the_worst_case_of_one_request(place: int, turn: int, known: bool) -> None:
    assert (worst().of_request(place, turn) > 0) == known
