"""Workloads over rows: texts, limits, turns that carry answers, and ids that lead back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.benchmark.load.places import PLACES_A_PART, place_at
from shared.benchmark.prompt import Parameters
from shared.benchmark.request_id import RequestId
from shared.benchmark.workload.dataset_spec import DatasetSource
from shared.benchmark.workload.workload import WorkItem
from shared.workloads.datasets import DatasetWorkload
from shared.workloads.rows import Row, RowList, Turn

ROWS = [
    Row((Turn("a", 7),), "own"),
    Row((Turn("b"), Turn("c", 5, 1.5), Turn("d"))),
    Row((Turn("e"),), None, (("user", "x"), ("assistant", "y"))),
]


def workload(rows: list[Row] | None = None, max_tokens: Any = None, **source: Any) -> DatasetWorkload:
    return DatasetWorkload(
        RowList(rows or ROWS),
        DatasetSource(id=1, **source),
        "m",
        "all",
        Parameters(max_tokens=100, temperature=0.5),
        max_tokens=max_tokens,
    )


def item(made: DatasetWorkload, place: int, turn: int = 0, answers: tuple[str, ...] = ()) -> WorkItem:
    found = made.item(place, turn, answers)
    assert found is not None
    return found


def said(found: WorkItem) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in found.messages]


def test_a_row_is_sent_with_its_own_system_text_history_and_limit_or_the_benchmarks() -> None:
    made = workload()
    first, third = item(made, place_at(0, 0)), item(made, place_at(0, 2))
    assert (first.system, first.parameters) == ("own", Parameters(max_tokens=7, temperature=0.5))
    assert said(first) == [("user", "a")]
    assert (third.system, third.parameters.max_tokens) == ("all", 100)
    assert said(third) == [("user", "x"), ("assistant", "y"), ("user", "e")]


def test_a_turn_carries_the_answers_before_it_and_waits_before_it_is_sent() -> None:
    made, place = workload(), place_at(0, 1)
    assert made.has_turns
    assert item(made, place).think_s == 0
    second = item(made, place, 1, ("B",))
    assert said(second) == [("user", "b"), ("assistant", "B"), ("user", "c")]
    assert (second.think_s, second.parameters.max_tokens) == (1.5, 5)
    third = item(made, place, 2, ("B", ""))
    assert said(third) == [("user", "b"), ("assistant", "B"), ("user", "c"), ("user", "d")]
    assert made.item(place, 3, ("B", "C", "D")) is None
    assert made.item(place_at(0, 0), 1, ("A",)) is None


def test_the_source_gives_a_pause_to_turns_without_one_and_cuts_conversations() -> None:
    made = workload(think_s=9.0, max_turns=2)
    assert [item(made, place_at(0, 1), turn, ("B",) * turn).think_s for turn in (0, 1)] == [0, 1.5]
    assert made.item(place_at(0, 1), 2, ("B", "C")) is None
    assert item(workload(think_s=9.0), place_at(0, 1), 2, ("B", "C")).think_s == 9
    assert not workload(max_turns=1).has_turns


def test_output_lengths_of_the_workload_count_before_those_of_the_rows() -> None:
    made = workload(max_tokens=lambda place, turn: 33 if turn else None)
    assert item(made, place_at(0, 1), 1, ("B",)).parameters.max_tokens == 33
    assert item(made, place_at(0, 0)).parameters.max_tokens == 7


def test_turns_are_numbered_through_all_conversations_and_rounds() -> None:
    made = workload()
    names = [
        (found.prompt_index, found.repetition)
        for ordinal in range(4)
        for turn in range(3)
        if (found := made.item(place_at(0, ordinal), turn, ("x",) * turn)) is not None
    ]
    assert names == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (0, 1)]
    assert item(made, place_at(0, 0, warmup=True)).repetition == -1
    assert item(made, place_at(0, 3, warmup=True)).repetition == -2


@given(
    stage=st.integers(0, 999),
    ordinal=st.integers(0, PLACES_A_PART - 1),
    warmup=st.booleans(),
    turns=st.lists(st.integers(1, 4), min_size=1, max_size=9),
    turn=st.integers(0, 3),
)
def test_a_result_leads_back_to_its_request(
    stage: int, ordinal: int, warmup: bool, turns: list[int], turn: int
) -> None:
    made = workload([Row((Turn("x"),) * count) for count in turns])
    place = place_at(stage, ordinal, warmup=warmup)
    found = made.item(place, turn, ("a",) * turn)
    assert (found is None) == (turn >= turns[ordinal % len(turns)])
    if found is not None:
        assert found.id == RequestId(place, turn) == made.id_of(found.prompt_index, found.repetition)
        assert found.warmup == warmup
        assert -(2**31) <= found.repetition < 2**31


def test_requests_of_stages_and_warm_ups_have_names_of_their_own() -> None:
    made = workload()
    places = [
        place_at(stage, ordinal, warmup=warmup) for stage in (0, 1) for warmup in (True, False) for ordinal in range(9)
    ]
    names = [(found.prompt_index, found.repetition) for place in places for found in [item(made, place)]]
    assert len(set(names)) == len(places)


@pytest.mark.parametrize(
    "document", [{}, {"id": 0}, {"sha256": "x"}, {"id": 1, "max_turns": 0}, {"id": 1, "think_s": -1}]
)
def test_a_source_must_name_a_dataset(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"id|sha256|max_turns|think_s"):
        DatasetSource.model_validate(document)
