"""What a summary says about costs, and which requests its numbers leave out."""

from typing import Any

import pytest

from shared.benchmark.results.cost_reading import CostReading, cost_of_request, total_cost

REQUESTS = {"warmup": 4, "succeeded": 50, "errored": 6, "cancelled": 4, "dropped": 9}
OF_OLD = ", but an older version divided by all that succeeded: the cost of a request may be higher"


def summary(**cost: Any) -> dict[str, Any]:
    known = {"total_usd": "0.06", "warmup_usd": "0.01", "per_succeeded_usd": "0.001", "unpriced_requests": 0}
    return {"cost": {**known, **cost}, "requests": REQUESTS}


@pytest.mark.parametrize(
    ("cost", "reading"),
    [
        ({"priced_succeeded": 50}, CostReading(0.001, 50)),
        (
            {"priced_succeeded": 30, "unpriced_requests": 26},
            CostReading(0.001, 30, "26 of 60 requests have no known cost and are left out"),
        ),
        (
            {"priced_succeeded": 50, "unpriced_requests": 1},
            CostReading(0.001, 50, "1 of 60 requests has no known cost and is left out"),
        ),
        (
            {"priced_succeeded": 0, "unpriced_requests": 60, "per_succeeded_usd": None},
            CostReading(None, 0, "60 of 60 requests have no known cost and are left out"),
        ),
        # Of older versions.
        ({}, CostReading(0.001, 50)),
        (
            {"unpriced_requests": 20},
            CostReading(0.001, None, f"20 of 60 requests have no known cost and are left out{OF_OLD}"),
        ),
    ],
)
def test_the_cost_of_a_request_says_of_how_many_it_is(cost: dict[str, Any], reading: CostReading) -> None:
    assert cost_of_request(summary(**cost)) == reading


@pytest.mark.parametrize(
    ("cost", "reading"),
    [
        ({"unpriced_warmup": 0}, CostReading(0.06, 64)),
        (
            {"unpriced_warmup": 1, "unpriced_requests": 6},
            CostReading(0.06, 57, "7 of 64 requests have no known cost and are left out"),
        ),
        # Of older versions.
        ({}, CostReading(0.06, 64)),
        ({"warmup_usd": None}, CostReading(0.06, 60, "4 of 64 requests have no known cost and are left out")),
    ],
)
def test_a_total_counts_warmup(cost: dict[str, Any], reading: CostReading) -> None:
    assert total_cost(summary(**cost)) == reading


def test_amounts_are_read_as_they_are_stored_and_as_the_api_shows_them() -> None:
    shown = summary(total_usd=0.06, per_succeeded_usd=0.001)
    assert cost_of_request(shown) == cost_of_request(summary())
    assert total_cost(shown) == total_cost(summary())
