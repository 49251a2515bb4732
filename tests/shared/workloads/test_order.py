"""Orders of a list: fair, the same for everyone, and with names of requests that lead back to their places."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.benchmark.load.places import MAX_STAGES, PLACES_A_PART, place_at
from shared.workloads.numbering import Order, Rounds
from shared.workloads.order import Shuffled, Weighted

MAX_31_BITS = 2**31 - 1


def orders(count: int) -> list[Order]:
    return [Rounds(count), Shuffled(count, 7), Weighted([1.0 + index % 3 for index in range(count)], 7)]


places = st.builds(place_at, st.integers(0, MAX_STAGES - 1), st.integers(0, PLACES_A_PART - 1), warmup=st.booleans())


@given(place=places, count=st.integers(1, 300))
def test_the_name_of_a_request_leads_back_to_its_place(place: int, count: int) -> None:
    for order in orders(count):
        index, repetition = order.named(place)
        assert 0 <= index < count
        assert -MAX_31_BITS <= repetition <= MAX_31_BITS
        assert order.place_of(index, repetition) == place


@pytest.mark.parametrize("count", [1, 3, 10_000])
def test_the_last_place_of_the_last_stage_has_a_name(count: int) -> None:
    last = place_at(MAX_STAGES - 1, PLACES_A_PART - 1)
    for order in orders(count):
        assert order.place_of(*order.named(last)) == last
        assert order.named(last)[1] <= MAX_31_BITS


@pytest.mark.parametrize("count", [1, 7])
def test_no_two_requests_of_several_stages_and_warm_ups_have_the_same_name(count: int) -> None:
    sent = [
        place_at(stage, ordinal, warmup=warmup)
        for stage in (0, 1, 999)
        for warmup in (True, False)
        for ordinal in range(50)
    ]
    for order in orders(count):
        names = [order.named(place) for place in sent]
        assert len(set(names)) == len(names)
        assert [repetition < 0 for _, repetition in names] == [place // PLACES_A_PART % 2 == 0 for place in sent]


def test_a_round_in_turn_goes_through_the_list() -> None:
    assert [Rounds(3).named(place_at(0, ordinal)) for ordinal in range(5)] == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)]
    assert Rounds(3).named(place_at(0, 4, warmup=True)) == (1, -2)


def test_each_shuffled_round_has_every_entry_once_in_an_order_of_its_own() -> None:
    order = Shuffled(20, 1)
    rounds = [[order.named(place_at(0, 20 * turn + ordinal))[0] for ordinal in range(20)] for turn in range(4)]
    assert all(sorted(one) == list(range(20)) for one in rounds)
    assert len({tuple(one) for one in rounds}) == 4


def test_stages_and_warm_ups_are_shuffled_apart() -> None:
    order = Shuffled(20, 1)
    parts = {
        tuple(order.named(place_at(stage, n, warmup=warmup))[0] for n in range(20))
        for stage in (0, 1)
        for warmup in (True, False)
    }
    assert len(parts) == 4


def test_an_order_does_not_depend_on_what_was_asked_before() -> None:
    sent = [place_at(stage, ordinal) for stage in range(3) for ordinal in range(0, 100, 7)]
    forwards = [Shuffled(9, 4).named(place) for place in sent]
    order = Shuffled(9, 4)
    assert [order.named(place) for place in reversed(sent)] == forwards[::-1]


def test_another_seed_gives_another_order() -> None:
    one, other = ([Shuffled(50, seed).named(place_at(0, ordinal))[0] for ordinal in range(50)] for seed in (1, 2))
    assert one != other


def test_entries_come_as_often_as_their_weights_say() -> None:
    order = Weighted([3, 1, 4], 9)
    counts = Counter(order.named(place_at(0, ordinal))[0] for ordinal in range(20_000))
    assert counts[0] == pytest.approx(7_500, rel=0.04)
    assert counts[1] == pytest.approx(2_500, rel=0.06)
    assert counts[2] == pytest.approx(10_000, rel=0.04)
