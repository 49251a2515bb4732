"""The few steps of a run that a list draws."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observed import Observed
from shared.benchmark.results.over_time import MOST_STEPS, over_time
from tests.shared.benchmark.results.test_aggregate import START_US, observed

PLAIN = observed(0, Random(1))


def result(number: int, *, outcome: str = "succeeded", step_us: int = 100_000, **changes: Any) -> Observed:
    """Sent every tenth of a second, takes a twentieth; its TTFT is its number."""
    sent_us = START_US + step_us * number
    return replace(
        PLAIN,
        id=RequestId(number),
        prompt_index=number,
        outcome=outcome,
        sent_us=sent_us,
        ended_us=sent_us + 50_000,
        warmup=False,
        error_kind=None if outcome == "succeeded" else "rate_limited",
        metrics={**PLAIN.metrics, "ttft_ms": float(number) if outcome == "succeeded" else None},
        **changes,
    )


def aggregate(results: Sequence[Observed]) -> RunAggregate:
    found = RunAggregate(1)
    for item in results:
        found.add(item)
    return found


def test_each_step_has_its_median_and_its_failures() -> None:
    outcomes = ["errored" if number >= 90 else "succeeded" for number in range(120)]
    found = over_time(aggregate([result(number, outcome=outcome) for number, outcome in enumerate(outcomes)]))
    assert found is not None
    assert found["step_s"] == pytest.approx((119 * 0.1 + 0.05) / MOST_STEPS)
    assert len(found["ttft_ms"]) == len(found["failed"]) == MOST_STEPS
    assert found["ttft_ms"][:3] == [1, 4, 7]
    assert found["ttft_ms"][30:] == [None] * 10
    assert (sum(found["failed"]), found["failed"][:29], found["failed"][31]) == (30, [0] * 29, 3)


def test_few_requests_have_few_steps() -> None:
    found = over_time(aggregate([result(number) for number in range(7)]))
    assert found is not None
    assert found["ttft_ms"] == [1.5, 5]
    one = over_time(aggregate([result(0)]))
    assert one == {"step_s": 0.05, "ttft_ms": [0], "failed": [0]}


@pytest.mark.heavy
def test_many_requests_still_fail_once_each() -> None:
    """More ends than a series has steps of its own."""
    results = [
        result(number, outcome="timed_out" if number % 7 == 0 else "succeeded", step_us=999) for number in range(20_000)
    ]
    found = over_time(aggregate(results))
    assert found is not None
    assert sum(found["failed"]) == 2_858
    assert all(abs(count - 71.4) < 12 for count in found["failed"]), found["failed"]
    assert found["ttft_ms"] == pytest.approx([250 + 500 * step for step in range(MOST_STEPS)], abs=60)


def test_without_results_there_are_no_steps() -> None:
    assert over_time(RunAggregate(1)) is None
    # Nothing of a run that was cut off at once.
    assert over_time(aggregate([result(0, outcome="cancelled")])) is None


def test_parts_of_older_versions_have_no_sample() -> None:
    found = aggregate([result(number) for number in range(9)])
    found.sample.count = 5
    assert over_time(found) is None
