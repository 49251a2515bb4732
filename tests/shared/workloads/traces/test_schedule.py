"""When requests of a trace are due: window, spread, scale and gaps."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.benchmark.load.pace import Room
from shared.benchmark.workload.trace_spec import TraceSource
from shared.workloads.rows import TraceRow
from shared.workloads.traces.pace import TracePace
from shared.workloads.traces.schedule import TraceSchedule


def schedule(seconds: Sequence[float], **source: Any) -> TraceSchedule:
    rows = [TraceRow(round(at_s * 1e9), 1, 1) for at_s in seconds]
    return TraceSchedule(rows, TraceSource.model_validate({"id": 1, **source}))


def due(seconds: Sequence[float], **source: Any) -> list[float]:
    return [at_ns / 1e9 for at_ns in schedule(seconds, **source).due_ns]


def test_the_first_request_is_due_at_once_and_the_rest_as_it_was() -> None:
    assert due([10, 12.5, 12.5, 100]) == [0, 2.5, 2.5, 90]


def test_a_trace_out_of_order_is_sent_in_the_order_of_time() -> None:
    made = schedule([10, 30, 20, 20])
    assert list(made.due_ns / 1e9) == [0, 10, 10, 20]
    assert [made.number(position) for position in range(4)] == [0, 2, 3, 1]
    assert [made.position(number) for number in range(4)] == [0, 3, 1, 2]


def test_a_window_is_half_open_and_counts_from_its_beginning() -> None:
    made = schedule([5, 10, 15, 20], window={"from_s": 5.0, "to_s": 15.0})
    assert list(made.due_ns / 1e9) == [0, 5]
    assert [made.number(0), made.number(1), len(made)] == [1, 2, 2]
    assert due([5, 12], window={"from_s": 4.0}) == [3]
    with pytest.raises(ValueError, match="row 0 is outside the window"):
        made.position(0)
    assert len(schedule([1], window={"from_s": 50.0})) == 0


def test_a_scale_stretches_all_times() -> None:
    assert due([0, 1, 3], time_scale=0.5) == [0, 0.5, 1.5]
    assert due([0, 1, 3], time_scale=2.0) == [0, 2, 6]


def test_a_long_gap_is_cut_and_the_others_stay() -> None:
    assert due([0, 1, 100, 101], max_gap_s=5.0) == [0, 1, 6, 7]
    assert due([0, 1, 100, 101], max_gap_s=5.0, time_scale=0.1) == [0, 0.1, 5.1, 5.2]
    # The idle time before the first request of a window is a gap as well.
    assert due([0, 100, 101], max_gap_s=5.0, window={"from_s": 50.0}) == [5, 6]


def test_spread_distributes_the_requests_of_a_step_over_it() -> None:
    assert due([0, 0, 0, 3, 3, 9, 9], spread=True) == [0, 1, 2, 3, 4.5, 9, 10.5]
    assert due([0, 0, 3], spread=True, spread_step_s=1.0) == [0, 0.5, 3]
    # A step that is shorter than the longest one is never overrun.
    assert due([0, 0, 1], spread=True) == [0, 0.5, 1]


def test_the_pace_gives_the_times_once_and_then_ends() -> None:
    made = schedule([1, 2, 4])
    pace = TracePace(made, 7)
    assert list(pace.due_ns()) == [0, 1_000_000_000, 3_000_000_000]
    assert list(pace.due_ns()) == list(pace.due_ns())
    assert (pace.room(), pace.max_in_flight) == ([Room(0, 7)], 7)
    assert made.span_s == 3


def test_a_window_must_not_be_empty() -> None:
    with pytest.raises(ValueError, match="to_s must be above from_s"):
        TraceSource.model_validate({"id": 1, "window": {"from_s": 5.0, "to_s": 5.0}})
