"""The numbers so far of a run that goes on, from its aggregate."""

from typing import Any

from shared.benchmark.aggregate import RunAggregate

# Metrics that are shown while a run goes on.
LIVE_METRICS = ("ttft_ms", "latency_ms")


def live_document(aggregate: RunAggregate) -> dict[str, Any]:
    """Percentiles of this segment's succeeded requests, in their own units; null where there are too few."""
    return {
        name: {key: found[key] for key in ("count", "p50", "p95")}
        for name in LIVE_METRICS
        for found in (aggregate.metrics[name].distribution(),)
    }
