"""The window of places that may be sent before their results are stored."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.run.send_window import MOST_AHEAD, SendWindow


def store(window: SendWindow, finished: int, *, meanwhile: int = 0, fast: bool = True) -> None:
    """One transaction. `meanwhile`: places that end while it commits."""
    window.advance(finished)
    for _ in range(meanwhile):
        window.ended()
    window.stored(finished, fast=fast)


def end(window: SendWindow, places: int) -> None:
    for _ in range(places):
        window.ended()


def test_each_slot_may_send_one_and_have_one_more_ready() -> None:
    assert SendWindow(iter(range(100)), 4).mark == 8


def test_an_open_loop_has_the_requests_of_a_second_ready() -> None:
    """With two slots that it keeps busy, a transaction lasts as long as many of its requests."""
    window = SendWindow(count(), 2, ahead=100)
    assert (window.mark, window.short) == (102, False)
    end(window, 49)
    assert not window.short
    end(window, 1)
    assert window.short
    store(window, 30)
    assert window.mark == 30 + 102
    assert SendWindow(count(), 40, ahead=5).mark == 80, "never fewer than one for each slot"


def test_no_number_of_results_at_once_opens_it_further() -> None:
    """Requests that were sent together end together."""
    window, stored = SendWindow(count(), 4), 0
    for _ in range(10):
        end(window, 4)
        store(window, 1)
        store(window, 3)
        stored += 4
        assert window.mark == stored + 8


def test_it_opens_further_once_the_requests_are_faster_than_the_database() -> None:
    """The slots end all that may be sent while a transaction commits, again and again."""
    window = SendWindow(count(), 4)
    end(window, 1)
    store(window, 1, meanwhile=7)
    store(window, 7, meanwhile=1)
    store(window, 1)
    end(window, 1)
    store(window, 1)
    assert window.mark == 10 + 8, "one slow transaction says nothing"
    end(window, 5)
    store(window, 5, meanwhile=3)
    store(window, 3, meanwhile=5)
    store(window, 5, meanwhile=3)
    assert window.mark == 23 + 8
    store(window, 3)
    assert window.mark == 26 + 4 + 2 * 8


def test_a_database_that_is_slower_than_slow_requests_opens_nothing() -> None:
    window, stored = SendWindow(count(), 4), 0
    for _ in range(10):
        end(window, window.mark - stored)
        finished = window.mark - stored
        store(window, finished, fast=False)
        stored += finished
        assert window.mark == stored + 8


@pytest.mark.parametrize("concurrency", [4, 5_000])
def test_a_database_that_stays_slower_sets_the_pace(concurrency: int) -> None:
    """Each transaction stores few results while all that may be sent ends: what waits in memory stays bounded."""
    window, stored, ended = SendWindow(count(), concurrency), 0, 0
    for _ in range(10_000):
        end(window, window.mark - ended)
        ended = window.mark
        store(window, 3)
        stored += 3
        assert window.mark - stored <= concurrency + max(concurrency, MOST_AHEAD)
    assert window.mark == stored + concurrency + max(concurrency, MOST_AHEAD)


def test_it_closes_again_when_the_database_keeps_up() -> None:
    window = SendWindow(count(), 2)
    for _ in range(4):
        end(window, 4)
        store(window, 4)
    assert window.mark == 16 + 2 + 2 * 4
    end(window, 1)
    store(window, 1)
    end(window, 1)
    store(window, 1)
    assert window.mark == 17 + 2 + 2 * 4, "what was marked was marked"
    for _ in range(10):
        end(window, 1)
        store(window, 1)
    assert window.mark == 28 + 4


def test_it_is_short_when_half_of_the_slots_have_nothing_behind() -> None:
    window = SendWindow(count(), 4)
    end(window, 1)
    assert not window.short
    end(window, 1)
    assert window.short
    store(window, 2)
    assert not window.short


@pytest.mark.parametrize("places", [3, 8])
def test_it_is_never_short_of_places_that_do_not_exist(places: int) -> None:
    window = SendWindow(iter(range(places)), 4)
    store(window, 0)
    end(window, places)
    assert window.short is (places == 8)
    store(window, places)
    assert not window.short


def test_a_resumed_run_marks_places_in_the_whole_order() -> None:
    window = SendWindow(iter([3, 10, 11, 40]), 1)
    assert window.mark == 11
    end(window, 1)
    store(window, 1)
    assert window.mark == 12
    end(window, 1)
    store(window, 1)
    assert window.mark == 41


def test_nothing_to_send_marks_nothing() -> None:
    assert SendWindow(iter([]), 4).mark == 0


@given(st.integers(1, 50), st.integers(0, 300), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_it_never_closes_never_passes_the_load_and_never_stalls(
    concurrency: int, places: int, transactions: list[tuple[int, int]]
) -> None:
    """(places that end, places that are stored then) one after the other."""
    window = SendWindow(iter(range(places)), concurrency)
    ended = stored = 0
    waited: list[int] = [0, 0, 0]
    for ending, storing in transactions:
        ending = min(ending, window.mark - ended)
        end(window, ending)
        ended += ending
        storing = min(storing, ended - stored)
        before = window.mark
        lasting = min(waited[-3:])
        store(window, storing)
        waited.append(ended - stored)
        stored += storing
        # What a crash may have sent in vain: twice the concurrency, unless slots had to wait three times in a row.
        ready = concurrency if lasting <= concurrency else 2 * lasting
        assert before <= window.mark <= min(places, max(before, stored + concurrency + ready))
        # Every slot has something to send while there is something left.
        assert window.mark >= min(places, stored + 2 * concurrency)


def test_places_that_cost_money_are_told_once_and_results_are_urgent_while_some_are_not_paid() -> None:
    window = SendWindow(iter([0, 2, 5, 7, 8]), 1, keep_opened=True)
    assert window.take_opened() == [0, 2]
    assert window.take_opened() == []
    assert not window.short
    window.unpaid = 1
    assert window.short
    window.unpaid = 0
    window.advance(2)
    assert (window.take_opened(), window.mark) == ([5, 7], 8)
    assert SendWindow(iter([0, 1]), 1).take_opened() == []
