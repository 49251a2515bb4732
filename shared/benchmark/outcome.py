"""Outcomes of a request. What each means stands with the field `outcome` in `shared.numbers.fields`."""

from typing import Literal, get_args

Outcome = Literal["succeeded", "errored", "timed_out", "cancelled", "truncated"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
# Outcomes of requests that failed. Those that a cancel ended did not.
FAILURES: tuple[Outcome, ...] = ("errored", "timed_out", "truncated")
