"""The live numbers of a run: so far in this stage, and over the last seconds."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import JsonValue

from shared.benchmark.load.plan import Stage
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observe import epoch_us
from shared.benchmark.results.record import ResultRecord
from shared.numbers.digest import Digest
from shared.numbers.percentiles import MIN_COUNT
from shared.numbers.statistics import percentiles
from worker.run.recent import RECENT_S, RecentResults

# Metrics and percentiles that are shown during a run.
LIVE_METRICS = ("ttft_ms", "latency_ms")
LIVE_PERCENTILES = (50, 95)


class LiveNumbers:
    """Of one worker's part of a run. It keeps the results of the last seconds."""

    def __init__(self) -> None:
        self._recent = RecentResults(LIVE_METRICS)
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
        self._recent.add(record)

    def document(self, so_far: RunAggregate, in_flight: int, now: datetime) -> dict[str, Any]:
        """`ttft_ms` and `latency_ms` are of the stage so far, `recent` of the last 10 s; docs/api.md has the rest.

        Percentiles are in each metric's unit; None if there are too few values.
        """
        return {
            **{name: _so_far(so_far.metrics[name]) for name in LIVE_METRICS},
            "stage": None
            if self._stage is None
            else {"number": self._stage, "label": dict(self._labels.get(self._stage, {}))},
            "in_flight": in_flight,
            "recent": self._recently(now),
        }

    def _recently(self, now: datetime) -> dict[str, Any]:
        now_us = epoch_us(now)
        recent = self._recent.since(now_us - RECENT_S * 1_000_000)
        # A stage that has just begun has fewer seconds.
        seconds = 1.0 if recent.first_us is None else max((now_us - recent.first_us) / 1e6, 1.0)
        return {
            "seconds": seconds,
            "request_rate": recent.count / seconds,
            "failed": recent.failed,
            **{
                name: {"count": len(values), **_percentiles(len(values), partial(percentiles, values))}
                for name, values in recent.values.items()
            },
        }


def _so_far(values: Digest) -> dict[str, Any]:
    return {"count": values.count, **_percentiles(values.count, values.percentiles)}


def _percentiles(count: int, of: Callable[[Sequence[int]], Sequence[float]]) -> dict[str, float | None]:
    """`of` gives those for which there are enough values."""
    wanted = [percent for percent in LIVE_PERCENTILES if count >= MIN_COUNT[percent]]
    found = dict(zip(wanted, of(wanted) if wanted else (), strict=True))
    return {f"p{percent}": found.get(percent) for percent in LIVE_PERCENTILES}
