"""The window of places that may be sent before their results are stored."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from worker.run.send_window import SendWindow


def test_at_first_each_slot_may_send_one_and_have_one_more_ready() -> None:
    assert SendWindow(iter(range(100)), 4).mark == 8


def test_what_is_stored_opens_it_further_and_many_at_once_open_it_wider() -> None:
    window = SendWindow(count(), 4)
    window.advance(1)
    assert window.mark == 1 + 2 * (4 + 1)
    window.advance(50)
    assert window.mark == 51 + 2 * (4 + 50)
    window.advance(1)
    assert window.mark == 51 + 2 * (4 + 50), "it does not close again: what was marked was marked"


def test_a_resumed_run_marks_places_in_the_whole_order() -> None:
    window = SendWindow(iter([3, 10, 11, 40]), 1)
    assert window.mark == 11
    window.advance(1)
    assert window.mark == 41


def test_nothing_to_send_marks_nothing() -> None:
    assert SendWindow(iter([]), 4).mark == 0


@given(st.integers(1, 50), st.integers(0, 300), st.lists(st.integers(0, 40)))
def test_it_never_closes_never_passes_the_load_and_never_stalls(
    concurrency: int, places: int, batches: list[int]
) -> None:
    window = SendWindow(iter(range(places)), concurrency)
    stored = 0
    for batch in batches:
        batch = min(batch, window.mark - stored)
        before = window.mark
        window.advance(batch)
        stored += batch
        # What a crash may have sent in vain is bounded by the load, not by the number of places.
        assert before <= window.mark <= min(places, max(before, stored + 2 * (concurrency + batch)))
        # Every slot has something to send while there is something left.
        assert window.mark >= min(places, stored + concurrency)
