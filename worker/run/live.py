"""The live numbers of a run, from its aggregate."""

from typing import Any

from shared.benchmark.aggregate import RunAggregate
from shared.numbers.digest import Digest
from shared.numbers.percentiles import MIN_COUNT

# Metrics and percentiles that are shown during a run.
LIVE_METRICS = ("ttft_ms", "latency_ms")
LIVE_PERCENTILES = (50, 95)


def live_document(aggregate: RunAggregate) -> dict[str, Any]:
    """Percentiles of this segment's succeeded requests, in each metric's unit; None if there are too few values."""
    return {name: _so_far(aggregate.metrics[name]) for name in LIVE_METRICS}


def _so_far(values: Digest) -> dict[str, Any]:
    percentiles = {
        f"p{percent}": values.percentile(percent) if values.count >= MIN_COUNT[percent] else None
        for percent in LIVE_PERCENTILES
    }
    return {"count": values.count, **percentiles}
