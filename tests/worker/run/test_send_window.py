"""The window of requests that may be sent before their results are stored."""

from hypothesis import given
from hypothesis import strategies as st

from worker.run.send_window import DispatchWindow


def test_at_first_each_slot_may_send_one_and_have_one_more_ready() -> None:
    window = DispatchWindow(range(100), 4)
    assert (window.sendable, window.mark) == (8, 8)


def test_what_is_stored_opens_it_further_and_many_at_once_open_it_wider() -> None:
    window = DispatchWindow(range(1_000), 4)
    window.advance(1)
    assert window.sendable == 1 + 2 * (4 + 1)
    window.advance(50)
    assert window.sendable == 51 + 2 * (4 + 50)
    window.advance(1)
    assert window.sendable == 51 + 2 * (4 + 50), "it does not close again: what was marked was marked"


def test_a_resumed_run_marks_places_in_the_whole_order() -> None:
    window = DispatchWindow([3, 10, 11, 40], 1)
    assert (window.sendable, window.mark) == (2, 11)
    window.advance(1)
    assert (window.sendable, window.mark) == (4, 41)


def test_nothing_to_send_marks_nothing() -> None:
    window = DispatchWindow([], 4)
    assert (window.sendable, window.mark) == (0, 0)


@given(st.integers(1, 50), st.integers(0, 300), st.lists(st.integers(0, 40)))
def test_it_never_closes_never_passes_the_plan_and_never_stalls(
    concurrency: int, planned: int, batches: list[int]
) -> None:
    window = DispatchWindow(range(planned), concurrency)
    stored = 0
    for batch in batches:
        batch = min(batch, window.sendable - stored)
        before = window.sendable
        window.advance(batch)
        stored += batch
        assert before <= window.sendable <= planned
        # Every slot has something to send while there is something left.
        assert window.sendable >= min(planned, stored + concurrency)
        # What a crash may have sent in vain is bounded by the load, not by the plan.
        assert window.mark == window.sendable
