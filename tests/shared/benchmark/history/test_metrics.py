"""The numbers of a run as its summary has them, and the differences that matter."""

from typing import get_args

import pytest

from api.schemas.history import MetricName
from shared.benchmark.history.metrics import METRICS, Reading
from tests.shared.benchmark.history.runs import run


def test_numbers_are_read_with_interval_and_count() -> None:
    summary = run(1, 100.0, 5.0, succeeded=40).summary
    assert METRICS["ttft_p50_ms"].read(summary) == Reading(100.0, (95.0, 105.0), 40)
    assert METRICS["ttft_p95_ms"].read(summary) == Reading(None, None, 40)
    assert METRICS["output_token_throughput"].read(summary) == Reading(50.0)
    assert METRICS["cost_per_request_usd"].read(summary) == Reading(0.001)
    assert METRICS["latency_p50_ms"].read(summary) == Reading(None)


def test_a_cost_says_of_how_many_requests_it_is_and_what_it_leaves_out() -> None:
    cost = {"per_succeeded_usd": "0.001", "priced_succeeded": 30, "unpriced_requests": 10}
    assert METRICS["cost_per_request_usd"].read(run(1, succeeded=40).summary | {"cost": cost}) == Reading(
        0.001, None, 30, "10 of 40 requests have no known cost and are left out"
    )


def test_the_error_share_leaves_out_what_did_not_fail_and_has_wilsons_interval() -> None:
    summary = {"requests": {"succeeded": 90, "errored": 6, "timed_out": 3, "truncated": 1, "cancelled": 50}}
    reading = METRICS["error_share"].read(summary)
    assert (reading.value, reading.count) == (0.1, 100)
    assert reading.interval == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert METRICS["error_share"].read({"requests": {"succeeded": 0, "cancelled": 3}}) == Reading(None)


@pytest.mark.parametrize(
    ("name", "reference", "margin"),
    [
        ("ttft_p50_ms", 100, 10),
        ("ttft_p50_ms", 1_000, 50),
        ("tokens_per_second_p50", 100, 5),
        ("error_share", 0, 0.01),
    ],
)
def test_margins_are_relative_and_have_a_floor(name: str, reference: float, margin: float) -> None:
    assert METRICS[name].margin(reference) == pytest.approx(margin)


def test_the_api_has_the_same_names() -> None:
    assert get_args(MetricName) == tuple(METRICS)
