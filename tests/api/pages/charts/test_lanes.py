"""Swim lanes: each request in its row, with what it waited for."""

from typing import Any

from api.pages.charts.lanes import MOST, lanes
from tests.api.pages.charts.svg import Drawn

FAILED = ("errored",)


def requests(count: int, **changes: Any) -> dict[str, Any]:
    """A request every second, which takes half of one."""
    columns: dict[str, Any] = {
        "of": count,
        "sampled": False,
        "id": [number + 1 for number in range(count)],
        "outcome": ["succeeded"] * count,
        "sent_s": [float(number) for number in range(count)],
        "ended_s": [number + 0.5 for number in range(count)],
        "queue_ms": [0.0] * count,
        "connect_ms": [None] * count,
        "ttft_ms": [100.0] * count,
        "latency_ms": [500.0] * count,
        "stream_close_ms": [500.0] * count,
    }
    return columns | changes


def drawn(figure: Any) -> Drawn:
    """The chart and its legend, which is beside it."""
    return Drawn.of(f"<div>{figure.svg}</div>")


def test_each_phase_of_each_request_is_a_bar() -> None:
    figure = lanes(requests(3, queue_ms=[300.0, 0.0, 0.0], connect_ms=[100.0, None, None]), failed=FAILED)
    # Queue, connect, TTFT, generation; then the legend has one of each.
    assert [path.count("M") for path in drawn(figure).paths("bars")] == [1, 1, 3, 3, 1, 1, 1, 1]
    assert figure.caption.startswith("3 requests: ")
    assert figure.rows[0] == [1, 0.0, 300.0, 100.0, 100.0, 500.0, "succeeded"]


def test_a_failure_is_a_bar_until_its_end_and_a_cross() -> None:
    columns = requests(2, outcome=["errored", "succeeded"], ttft_ms=[None, 100.0], latency_ms=[None, 500.0])
    columns["stream_close_ms"][0] = None
    figure = lanes(columns, failed=FAILED)
    assert drawn(figure).paths("crosses")[0].count("M") == 1


def test_a_long_run_begins_with_its_first_requests_and_a_zoom_goes_elsewhere() -> None:
    figure = lanes(requests(2_000), failed=FAILED)
    assert [row[0] for row in figure.rows][:3] == [1, 2, 3]
    assert len(figure.rows) <= MOST
    zoomed = lanes(requests(2_000), failed=FAILED, zoom=(1_000, 1_010))
    assert [row[0] for row in zoomed.rows] == list(range(1_001, 1_012))
    wide = lanes(requests(2_000), failed=FAILED, zoom=(0, 2_000))
    assert len(wide.rows) <= MOST
    assert f"{len(wide.rows)} of 2,000 requests" in wide.caption


def test_nothing_in_flight_is_said() -> None:
    assert lanes(requests(0), failed=FAILED).caption == "No request was in flight in this time."
    assert lanes(requests(5), failed=FAILED, zoom=(100, 200)).rows == []
