"""The live numbers of a run: so far in this stage, and over the last seconds."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import JsonValue

from shared.benchmark.load.plan import Stage
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.record import ResultRecord
from shared.numbers.digest import Digest
from shared.numbers.percentiles import MIN_COUNT
from shared.numbers.statistics import percentile

# Metrics and percentiles that are shown during a run.
LIVE_METRICS = ("ttft_ms", "latency_ms")
LIVE_PERCENTILES = (50, 95)
# What counts as recent, and how many results of it are looked at.
RECENT_S = 10
MOST_RECENT = 5_000


class _Ended(NamedTuple):
    sent_at: datetime
    ended_at: datetime
    queue_ms: float
    failed: bool
    metrics: Mapping[str, float | None]


class LiveNumbers:
    """Of one worker's part of a run. It keeps the results of the last seconds."""

    def __init__(self) -> None:
        self._recent: deque[_Ended] = deque(maxlen=MOST_RECENT)
        self._labels: Mapping[int | None, Mapping[str, JsonValue]] = {}
        self._stage: int | None = None

    def announce(self, stages: Sequence[Stage]) -> None:
        """The stages that come next; the first of them begins."""
        self._labels = {stage.number: stage.label for stage in stages}
        self.enter(stages[0].number)

    def enter(self, stage: int | None) -> None:
        """A stage begins. What came before it is no longer recent."""
        self._stage = stage
        self._recent.clear()

    def add(self, record: ResultRecord) -> None:
        metrics = {name: record.metrics[name] for name in LIVE_METRICS} if record.outcome == "succeeded" else {}
        failed = record.outcome in ("errored", "timed_out", "truncated")
        queue_ms = record.metrics["queue_ms"] or 0.0
        self._recent.append(_Ended(record.sent_at, record.ended_at, queue_ms, failed, metrics))

    def document(self, so_far: RunAggregate, in_flight: int, now: datetime) -> dict[str, Any]:
        """`ttft_ms` and `latency_ms` are of the stage so far, `recent` of the last 10 s; docs/api.md has the rest.

        Percentiles are in each metric's unit; None if there are too few values.
        """
        while self._recent and self._recent[0].ended_at < now - timedelta(seconds=RECENT_S):
            self._recent.popleft()
        return {
            **{name: _so_far(so_far.metrics[name]) for name in LIVE_METRICS},
            "stage": None
            if self._stage is None
            else {"number": self._stage, "label": dict(self._labels.get(self._stage, {}))},
            "in_flight": in_flight,
            "recent": self._recently(now),
        }

    def _recently(self, now: datetime) -> dict[str, Any]:
        recent = list(self._recent)
        # A stage that has just begun has fewer seconds.
        seconds = max((now - min((item.ended_at for item in recent), default=now)).total_seconds(), 1.0)
        return {
            "seconds": seconds,
            "request_rate": len(recent) / seconds,
            "failed": sum(item.failed for item in recent),
            "queue_ms": _percentiles([item.queue_ms for item in recent]),
            **{
                name: _percentiles([value for item in recent if (value := item.metrics.get(name)) is not None])
                for name in LIVE_METRICS
            },
        }


def _so_far(values: Digest) -> dict[str, Any]:
    percentiles = {
        f"p{percent}": values.percentile(percent) if values.count >= MIN_COUNT[percent] else None
        for percent in LIVE_PERCENTILES
    }
    return {"count": values.count, **percentiles}


def _percentiles(values: list[float]) -> dict[str, Any]:
    percentiles = {
        f"p{percent}": percentile(values, percent) if len(values) >= MIN_COUNT[percent] else None
        for percent in LIVE_PERCENTILES
    }
    return {"count": len(values), **percentiles}
