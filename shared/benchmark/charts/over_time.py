"""What happened when: requests by outcome, output tokens, and percentiles, in equal steps of time."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from shared.benchmark.charts.columns import ChartColumns, Floats, Integers, Mask, listed
from shared.benchmark.charts.steps import nice_seconds
from shared.numbers.percentiles import MIN_COUNT

MOST_STEPS = 400
# There are fewer steps if they would hold fewer requests than this on average, but not fewer than that many steps.
REQUESTS_A_STEP, FEW_STEPS = 12, 24


def over_time(columns: ChartColumns) -> dict[str, Any]:
    """Requests are counted as sent by the time of their send, and as succeeded or failed by that of their end.

    Tokens are spread evenly over the time from the first to the last content of their request; without content they
    came at its end. Percentiles are of the succeeded requests that were sent in the step. `offset_s`: where each step
    begins, after `begins_at`.
    """
    sent = columns.sent
    begin_s = columns.begin_s
    ends = np.where(np.isnan(columns.ended_s), columns.sent_s, columns.ended_s)[sent]
    span_s = float(ends.max()) - begin_s if len(ends) else 0.0
    wanted = min(MOST_STEPS, max(FEW_STEPS, len(ends) // REQUESTS_A_STEP))
    step_s = nice_seconds(max(span_s / wanted, 0.01))
    # What ends exactly at the end of the last step belongs to it.
    steps = max(1, int(np.ceil(span_s / step_s - 1e-9))) if len(ends) else 0
    sends = _step(columns.sent_s, begin_s, step_s, steps)
    endings = _step(np.where(np.isnan(columns.ended_s), columns.sent_s, columns.ended_s), begin_s, step_s, steps)
    succeeded = columns.succeeded

    def count(places: Integers, which: Mask) -> list[int]:
        found: list[int] = np.bincount(places[which], minlength=steps).tolist() if steps else []
        return found

    def quantile(values: Floats, percent: int) -> list[float | None]:
        return listed(_quantiles(sends[succeeded], values[succeeded], steps, percent))

    return {
        "begins_at": _instant(begin_s) if len(columns) else None,
        "step_s": step_s,
        "offset_s": [round(number * step_s, 6) for number in range(steps)],
        "sent": count(sends, sent),
        "succeeded": count(endings, succeeded),
        "failed": count(endings, columns.failed),
        "output_token_throughput": listed(_token_rate(columns, begin_s, step_s, steps)),
        "ttft_p50_ms": quantile(columns.ttft_ms, 50),
        "ttft_p95_ms": quantile(columns.ttft_ms, 95),
        "latency_p50_ms": quantile(columns.latency_ms, 50),
    }


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _step(times_s: Floats, begin_s: float, step_s: float, steps: int) -> Integers:
    places = np.floor((times_s - begin_s) / step_s + 1e-6).astype(np.int64)
    return np.clip(places, 0, max(steps - 1, 0))


def _quantiles(places: Integers, values: Floats, steps: int, percent: int) -> Floats:
    """The percentile (type 7) of the values of each step. NaN where there are too few."""
    known = ~np.isnan(values)
    places, values = places[known], values[known]
    ordered = values[np.lexsort((values, places))]
    counts = np.bincount(places, minlength=steps)[:steps]
    starts = np.cumsum(counts) - counts
    found = np.full(steps, np.nan)
    enough = counts >= MIN_COUNT[percent]
    position = (counts[enough] - 1) * percent / 100
    below = np.floor(position).astype(np.int64)
    first = starts[enough] + below
    second = starts[enough] + np.minimum(below + 1, counts[enough] - 1)
    found[enough] = ordered[first] + (ordered[second] - ordered[first]) * (position - below)
    return found


def _token_rate(columns: ChartColumns, begin_s: float, step_s: float, steps: int) -> Floats:
    """Output tokens per second in each step. All unknown if no request tells its tokens."""
    whole_ms = (columns.ended_s - columns.sent_s) * 1e3
    last_ms = np.where(np.isnan(columns.latency_ms), whole_ms, columns.latency_ms)
    first_ms = np.where(np.isnan(columns.ttft_ms), last_ms - 1, columns.ttft_ms)
    tells = columns.succeeded & ~np.isnan(columns.output_tokens) & ~np.isnan(last_ms)
    if not tells.any():
        return np.full(steps, np.nan)
    tokens, first_ms, last_ms = columns.output_tokens[tells], first_ms[tells], last_ms[tells]
    sent = columns.sent_s[tells] - begin_s
    # An answer that came at once is spread over a millisecond.
    begins, ends = sent + first_ms / 1e3, sent + np.maximum(last_ms, first_ms + 1) / 1e3
    rates = tokens / (ends - begins)
    edges: Floats = np.asarray(np.arange(steps + 1) * step_s, dtype=np.float64)
    written = np.subtract(_ramps(edges, begins, rates), _ramps(edges, ends, rates))
    return np.asarray(np.maximum(np.diff(written), 0) / step_s, dtype=np.float64)


def _ramps(at: Floats, begins: Floats, slopes: Floats) -> Floats:
    """The sum of ramps at these times. Each is zero until it begins, and then rises with its slope."""
    order = np.argsort(begins)
    begun = np.searchsorted(begins[order], at, side="right")
    slope = np.concatenate(([0.0], np.cumsum(slopes[order])))[begun]
    offset = np.concatenate(([0.0], np.cumsum((slopes * begins)[order])))[begun]
    return np.asarray(slope * at - offset)
