"""The error share of a run, from its counts of requests by outcome. Lists and pages show it."""

from collections.abc import Mapping

from shared.benchmark.results.outcome import FAILURES


def failed_share(requests: Mapping[str, int | None]) -> float | None:
    """Failed requests divided by those that failed or succeeded, 0 to 1. None if there are neither.

    Requests that were cancelled, cut off at the end or never sent are neither.
    """
    failed = sum(requests.get(outcome) or 0 for outcome in FAILURES)
    judged = failed + (requests.get("succeeded") or 0)
    return failed / judged if judged else None
