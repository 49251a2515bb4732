"""Outcomes of a request. What each means stands with the field `outcome` in `shared.numbers.fields`."""

from typing import Literal, get_args

Outcome = Literal["succeeded", "errored", "timed_out", "cancelled", "truncated", "incomplete", "dropped"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
# Outcomes of requests that failed. Those that a cancel or the end of the run cut off did not.
FAILURES: tuple[Outcome, ...] = ("errored", "timed_out", "truncated")
# Outcomes of requests that we closed ourselves. They were in flight, but are neither successes nor failures.
CUT_OFF: tuple[Outcome, ...] = ("cancelled", "incomplete")
# Outcomes that the load brings about. They are neither errors nor successes.
BY_THE_LOAD: tuple[Outcome, ...] = ("incomplete", "dropped")
# Outcomes that say nothing about the endpoint: `dropped` requests were never sent.
UNATTEMPTED: tuple[Outcome, ...] = (*CUT_OFF, "dropped")
