"""What a request costs: what is known, nothing if it certainly cost nothing, else its worst case."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.benchmark.results.record import RequestError, ResultRecord
from shared.db.money.spend import Charge
from tests.shared.db.rows import make_record
from worker.run.charges import charge_of

WORST = 500


def record(
    outcome: str = "succeeded", cost: str | None = None, flags: tuple[str, ...] = (), **error: Any
) -> ResultRecord:
    found = None if not error else RequestError(**{"kind": "x", "message": "m", "phase": "before_first_token", **error})
    usd = None if cost is None else Decimal(cost)
    return replace(make_record(), outcome=outcome, cost_usd=usd, error=found, flags=list(flags))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ended", "charge"),
    [
        # Known: rounded up.
        (record(cost="0.0000411"), Charge(42, 0, 1)),
        # The server did not say what it used, or what it served has no price.
        (record(), Charge(WORST, WORST, 1)),
        # Refused before it was worked on.
        (record("errored", http_status=429), Charge(0, 0, 1)),
        (record("errored", http_status=503), Charge(0, 0, 1)),
        # An error within an answer of 2xx, and what broke off: nobody knows what is billed, whatever was said so far.
        (record("errored", phase="mid_stream"), Charge(WORST, WORST, 1)),
        (record("truncated", "0.000041", phase="mid_stream"), Charge(WORST, WORST, 1)),
        (record("timed_out", phase="before_first_token"), Charge(WORST, WORST, 1)),
        (record("cancelled", phase="mid_stream"), Charge(WORST, WORST, 1)),
        (record("incomplete", phase="mid_stream"), Charge(WORST, WORST, 1)),
        # Never sent.
        (record("dropped"), Charge()),
        (record("errored", kind="connect_error", phase="connect"), Charge()),
        (record("timed_out", kind="connect_timeout", phase="connect"), Charge()),
        (record("cancelled", kind="cancelled", phase="connect"), Charge()),
        # A process that died may have sent it.
        (record("errored", kind="engine_died", phase="connect"), Charge(WORST, WORST, 1)),
        # Sent on a connection that turned out to be closed, and again.
        (record(cost="0.000041", flags=("connection_renewed",)), Charge(41 + WORST, WORST, 2)),
        (record("errored", flags=("connection_renewed",), phase="connect"), Charge(WORST, WORST, 1)),
        (record("truncated", flags=("connection_renewed",), phase="mid_stream"), Charge(2 * WORST, 2 * WORST, 2)),
    ],
)
def test_a_request_costs_what_is_known_or_its_worst_case(ended: ResultRecord, charge: Charge) -> None:
    assert charge_of(ended, lambda: WORST) == charge


@pytest.mark.parametrize(
    ("ended", "charge"),
    [
        (record(), Charge(requests=1, unpriced=1)),
        (record("truncated", phase="mid_stream"), Charge(requests=1, unpriced=1)),
        # What was served may have a price though what was asked for has none.
        (record(cost="0.000041"), Charge(41, 0, 1)),
        (record("errored", http_status=429), Charge(requests=1)),
        (record("dropped"), Charge()),
    ],
)
def test_a_request_without_a_price_counts_nothing(ended: ResultRecord, charge: Charge) -> None:
    assert charge_of(ended, None) == charge


def test_the_worst_case_is_asked_for_only_if_it_counts() -> None:
    def never() -> int:
        raise AssertionError("asked")

    assert charge_of(record(cost="0.000041"), never) == Charge(41, 0, 1)
