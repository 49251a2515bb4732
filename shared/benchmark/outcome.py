"""Outcomes of a request. What each means stands with the field `outcome` in `shared.numbers.fields`."""

from typing import Literal, get_args

Outcome = Literal["succeeded", "errored", "timed_out", "cancelled", "truncated", "incomplete", "dropped"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
# Outcomes of requests that failed. A cancel, the end of a stage or a late start of ours is no failure of theirs.
FAILURES: tuple[Outcome, ...] = ("errored", "timed_out", "truncated")
