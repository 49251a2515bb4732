"""A run over time: rates by outcome, failures as crosses, and times without false gaps."""

import pytest

from api.pages.charts.over_time import clock_text, requests_over_time, throughput_over_time, times_over_time
from tests.api.pages.charts.svg import Drawn, points

SERIES = {
    "begins_at": "2025-01-15T10:30:00.000000Z",
    "step_s": 2.0,
    "offset_s": [0.0, 2.0, 4.0, 6.0],
    "sent": [4, 6, 2, 0],
    "succeeded": [2, 6, 2, 0],
    "failed": [0, 0, 1, 1],
    "output_token_throughput": [50.0, 100.0, 80.0, 0.0],
    "ttft_p50_ms": [100.0, None, 120.0, None],
    "ttft_p95_ms": [None, None, None, None],
    "latency_p50_ms": [500.0, 510.0, 520.0, None],
}


def line(svg: str, name: str) -> str:
    """What the line of this name draws."""
    return next(path.get("d", "") for path in Drawn.of(svg).root.iter("path") if path.get("data-name") == name)


def test_requests_are_rates_and_failures_are_crosses() -> None:
    figure = requests_over_time(SERIES, csv_url="/csv")
    drawn = Drawn.of(figure.svg)
    assert drawn.texts("end") == ["sent", "succeeded"]
    assert len(drawn.paths("crosses")[0].split("M")) - 1 == 2
    assert figure.caption == "12 requests were sent in 8.00 s; 2 failed. Each step is 2 s."
    assert figure.rows == [(0, 4, 2, 0), (2, 6, 6, 0), (4, 2, 2, 1), (6, 0, 0, 1)]
    assert figure.csv_url == "/csv"


def test_a_zoom_shows_its_part() -> None:
    figure = requests_over_time(SERIES, zoom=(3, 5))
    assert figure.rows == [(2, 6, 6, 0), (4, 2, 2, 1)]
    assert 'data-x0="3" data-x1="5"' in figure.svg


def test_throughput_has_the_mean_of_the_run() -> None:
    figure = throughput_over_time(SERIES, mean=57.5)
    assert "mean 57.5" in figure.svg
    assert figure.caption == "At most 100 output tokens per second in a step of 2 s; 57.5 over the whole run."
    unknown = {**SERIES, "output_token_throughput": [None] * 4}
    assert throughput_over_time(unknown, mean=None).caption == "No output tokens are known."


def test_times_are_lines_that_a_single_empty_step_does_not_break() -> None:
    figure = times_over_time(SERIES)
    drawn = Drawn.of(figure.svg)
    # The P95, which no step has, is left out.
    assert sorted(drawn.texts("end")) == ["TTFT P50", "latency P50"]
    assert len(points(line(figure.svg, "TTFT P50"))) == 2
    full = {**SERIES, "ttft_p50_ms": [100.0, 110.0, 120.0, None]}
    assert "between 100 ms and 120 ms" in times_over_time(full).caption


def test_two_empty_steps_break_a_line() -> None:
    series = {**SERIES, "ttft_p50_ms": [100.0, None, None, 120.0]}
    assert line(times_over_time(series).svg, "TTFT P50").count("M") == 2


def test_nothing_is_a_chart_too() -> None:
    empty = {name: [] for name in SERIES} | {"step_s": 0.01, "begins_at": None}
    for figure in (requests_over_time(empty), throughput_over_time(empty, mean=None), times_over_time(empty)):
        assert figure.rows == []
        assert figure.svg.startswith("<svg")


@pytest.mark.parametrize(("span", "value", "shown"), [(10, 2.5, "2.5"), (600, 90, "1:30"), (10_000, 7_260, "2:01")])
def test_long_runs_have_a_clock(span: float, value: float, shown: str) -> None:
    assert clock_text(span)[0](value) == shown


def test_one_request_is_said_as_one() -> None:
    one = {name: values[:1] if isinstance(values, list) else values for name, values in SERIES.items()}
    one = {**one, "step_s": 0.01, "sent": [1], "succeeded": [1]}
    assert requests_over_time(one).caption == "1 request was sent in 0.0100 s; none failed. Each step is 0.01 s."
    assert times_over_time(one).caption == "The median TTFT was 100 ms."
