"""Turns database rows into the API's schemas."""

from collections.abc import Sequence
from typing import Any

from api.http.proxy import link
from api.schemas.benchmarks import (
    BenchmarkBase,
    BenchmarkOut,
    ListedBenchmarkOut,
    Progress,
    RunError,
    SegmentOut,
)
from api.schemas.live import LiveMetrics
from api.schemas.measurement import Measurement
from api.schemas.prices import PriceOut
from api.schemas.results import ResultOut
from api.schemas.stages import StageOut
from api.schemas.summary import Summary
from api.schemas.target import EndpointOut, TargetOut
from api.schemas.webhooks import BenchmarkWebhook
from shared.benchmark.run_spec import RunSpec
from shared.benchmark.status import TERMINAL
from shared.db.benchmarks.live import LiveState
from shared.db.benchmarks.pages import ListedBenchmark
from shared.db.tables.benchmarks import Benchmark, Segment, StageRow

# Fields of a spec that the API shows under the same name; name, model and provider are columns of their own.
_OF_SPEC = tuple(name for name in RunSpec.model_fields if name not in ("name", "model", "provider"))


def _fields_of(benchmark: Benchmark, spec: RunSpec) -> dict[str, Any]:
    return {
        "id": benchmark.id,
        "name": benchmark.name,
        "model": benchmark.model,
        "provider": benchmark.provider,
        "endpoint": EndpointOut.model_validate(benchmark.endpoint) if benchmark.endpoint else None,
        "status": benchmark.status,
        "created_at": benchmark.created_at,
        "started_at": benchmark.started_at,
        "completed_at": benchmark.completed_at,
        "stopped": benchmark.stopped,
        "cancel_requested_at": benchmark.cancel_requested_at,
        "progress": progress_of(benchmark),
        "error": RunError.model_validate(benchmark.error) if benchmark.error else None,
        "notices": [*notices_of(benchmark), *_imported(benchmark)],
        "summary": Summary.model_validate(benchmark.summary) if benchmark.summary else None,
        "price": PriceOut.model_validate(benchmark.price) if benchmark.price else None,
        "interrupted": benchmark.interrupted,
        "rerun_of": benchmark.rerun_of,
        "imported": benchmark.import_key is not None,
        "prompt_set": benchmark.prompt_set,
        **{name: getattr(spec, name) for name in _OF_SPEC},
        "results_url": link(f"/benchmarks/{benchmark.id}/results"),
    }


def progress_of(benchmark: Benchmark | LiveState) -> Progress:
    """How far it has come."""
    live = benchmark.live if benchmark.status == "running" else None
    return Progress(
        done=benchmark.done,
        total=benchmark.planned or None,
        errors=benchmark.errors,
        last_ttft_ms=benchmark.last_ttft_ms,
        cost_usd=None if benchmark.cost_usd is None else float(benchmark.cost_usd),
        metrics=None if live is None else LiveMetrics.model_validate(live),
    )


def notices_of(benchmark: Benchmark | LiveState) -> list[str]:
    """Warnings about its numbers, and what it waits for if no worker can run it."""
    if benchmark.unclaimable is None or benchmark.status in TERMINAL:
        return benchmark.notices
    return [*benchmark.notices, f"No worker can run this benchmark now: {benchmark.unclaimable['message']}."]


def _imported(benchmark: Benchmark) -> list[str]:
    """Not stored: an export of it is the same as the one that it came from."""
    return [] if benchmark.import_key is None else ["Imported from an export: it was not measured by this server."]


def benchmark_without_results(benchmark: Benchmark) -> BenchmarkBase:
    """A benchmark for answers to a cancel."""
    return BenchmarkBase(**_fields_of(benchmark, benchmark.spec))


def listed_benchmark(listed: ListedBenchmark) -> ListedBenchmarkOut:
    """A benchmark for lists."""
    return ListedBenchmarkOut(**_fields_of(listed.benchmark, RunSpec.of_stored(listed.spec)), cut=list(listed.cut))


def benchmark_with_results(
    benchmark: Benchmark,
    segments: Sequence[Segment],
    stages: Sequence[StageRow],
    webhook: BenchmarkWebhook | None,
    results: list[ResultOut] | None,
) -> BenchmarkOut:
    """A benchmark for `GET /benchmarks/{id}` and POST. `results` None: they were not asked for."""
    return BenchmarkOut(
        **_fields_of(benchmark, benchmark.spec),
        segments=[_segment_out(segment) for segment in segments],
        stages=[_stage_out(stage) for stage in stages],
        target=TargetOut.model_validate(benchmark.target) if benchmark.target else None,
        webhook=webhook,
        results=results,
    )


def _stage_out(stage: StageRow) -> StageOut:
    return StageOut(
        number=stage.number,
        label=stage.label,
        started_at=stage.started_at,
        ended_at=stage.ended_at,
        ended_by=stage.ended_by,
        summary=Summary.model_validate(stage.summary) if stage.summary else None,
    )


def _segment_out(segment: Segment) -> SegmentOut:
    return SegmentOut(
        worker_id=segment.worker_id,
        started_at=segment.started_at,
        ended_at=segment.ended_at,
        ended_by=segment.ended_by,
        results=segment.results,
        possible_duplicates=None if segment.unanswered is None else len(segment.unanswered),
        measurement=Measurement.model_validate(segment.measurement) if segment.measurement else None,
    )
