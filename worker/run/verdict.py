"""Decides how a run ended: its terminal status, its summary, and the reason if it failed."""

from dataclasses import dataclass
from typing import Any

from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.status import TerminalStatus

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a benchmark ends, as it is stored. `whole`: every request of the load has ended by itself."""

    status: TerminalStatus
    summary: JsonObject | None = None
    error: JsonObject | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """What happened during a run. `exhausted`: every request of the load was sent.

    `overdue`: its `max_duration_s` passed; `engine_failure`: why its measuring broke. `stopped`: a cap could not pay
    for the rest.
    """

    exhausted: bool
    cancelled: bool = False
    overdue: bool = False
    engine_failure: str | None = None
    stopped: bool = False


def failure(kind: str, message: str, summary: JsonObject | None = None) -> Verdict:
    """The verdict of a run that failed as a whole."""
    return Verdict("failed", summary, {"kind": kind, "message": message})


def judge(results: RunAggregate, summary: JsonObject, course: Course, max_duration_s: float | None) -> Verdict:
    """The verdict of a run that has sent its load or was stopped before."""
    whole = course.exhausted and not results.outcomes["cancelled"]
    if course.engine_failure is not None:
        return failure("engine_died", course.engine_failure, summary)
    if course.cancelled and not whole:
        return Verdict("cancelled", summary)
    if course.overdue and not whole:
        return failure("run_timeout", f"not ended within max_duration_s = {max_duration_s or 0:g} s", summary)
    if not course.exhausted and not course.stopped:
        return failure("internal_error", "the run ended before all of its requests were sent", summary)
    if results.succeeded == 0 and results.failed:
        message = f"none of {results.failed} requests succeeded; most often: {results.commonest_error}"
        return Verdict("failed", summary, {"kind": "all_requests_failed", "message": message}, whole=whole)
    return Verdict("completed", summary, whole=whole)
