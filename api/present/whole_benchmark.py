"""Reads what belongs to a benchmark and is in other tables, and puts all of it together as the API shows it."""

from typing import Any

from api.present.benchmarks import benchmark_with_results
from api.present.webhooks import benchmark_webhook
from api.schemas.benchmarks import BenchmarkOut
from api.schemas.estimate import EstimateOut
from api.schemas.results import ResultOut
from api.schemas.waits import WaitOut
from api.state import State
from shared.db.tables.benchmarks import Benchmark


async def whole_benchmark(
    parts: State,
    benchmark: Benchmark,
    results: list[ResultOut] | None,
    *,
    secret: str | None = None,
    estimate: dict[str, Any] | None = None,
) -> BenchmarkOut:
    """The benchmark with its webhook, segments and stages, which are in other tables."""
    webhook = benchmark_webhook(await parts.webhooks.of_benchmark(benchmark.id), secret)
    begun = benchmark.started_at is not None
    segments = await parts.segments.of(benchmark.id) if begun else []
    stages = await parts.stages.of(benchmark.id) if begun and benchmark.spec.has_stages else []
    shown = benchmark_with_results(benchmark, segments, stages, webhook, results)
    shown.waits_for = await _wait(parts, benchmark)
    shown.estimate = None if estimate is None else EstimateOut.model_validate(estimate)
    return shown


async def _wait(parts: State, benchmark: Benchmark) -> WaitOut | None:
    endpoint = parts.endpoints.get(benchmark.provider)
    is_the_same = endpoint is not None and parts.identities.of(endpoint).fingerprint == benchmark.endpoint_lane
    wait = await parts.waits.of(benchmark, ceiling=endpoint.max_streams if endpoint and is_the_same else None)
    return None if wait is None else WaitOut.model_validate(wait)
