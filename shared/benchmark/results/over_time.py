"""A few steps of a run in time, for the sparkline of a list: median TTFT and failed requests in each."""

from itertools import pairwise
from typing import Any

from shared.benchmark.results.aggregate import RunAggregate
from shared.numbers.digest import Digest

MOST_STEPS = 40
# There are fewer steps if they would hold fewer requests than this on average.
REQUESTS_A_STEP = 3


def over_time(results: RunAggregate) -> dict[str, Any] | None:
    """`{step_s, ttft_ms, failed}`: the median TTFT by the time of the send, and failures by that of the end.

    None if nothing ended or no time passed, or if a worker of an older version measured a part of the run.
    """
    activity, sample = results.activity, results.sample
    begin_us, end_us = activity.first_sent_us, activity.last_end_us
    if begin_us is None or end_us is None or end_us <= begin_us or sample.count != results.succeeded:
        return None
    steps = max(1, min(MOST_STEPS, results.attempted // REQUESTS_A_STEP))
    digests = [Digest() for _ in range(steps)]
    for sent_us, ttft_ms in sample.sends("ttft_ms"):
        digests[min((sent_us - begin_us) * steps // (end_us - begin_us), steps - 1)].add(ttft_ms)
    return {
        "step_s": (end_us - begin_us) / 1e6 / steps,
        "ttft_ms": [digest.percentile(50) for digest in digests],
        "failed": _failed(results, begin_us, end_us, steps),
    }


def _failed(results: RunAggregate, begin_us: int, end_us: int, steps: int) -> list[int]:
    """A series of many ends has steps of its own, which an edge may cut. So totals are rounded, not each count."""
    ended, succeeded = results.activity.ended, results.activity.succeeded
    totals = [0]
    for step in range(1, steps):
        until_us = begin_us + (end_us - begin_us) * step // steps
        # Nothing ended before the first send.
        gone = ended.within(begin_us - ended.step_us, until_us) - succeeded.within(begin_us - ended.step_us, until_us)
        totals.append(min(max(totals[-1], round(gone)), results.failed))
    totals.append(results.failed)
    return [later - earlier for earlier, later in pairwise(totals)]
