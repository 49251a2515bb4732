"""Turns database rows into the API's schemas."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.schemas.benchmarks import (
    BenchmarkBase,
    BenchmarkOut,
    EndpointOut,
    LiveMetrics,
    Progress,
    RunError,
    SegmentOut,
    TargetOut,
)
from api.schemas.prices import PriceOut
from api.schemas.results import RequestErrorOut, ResultOut, TimelineEventOut
from api.schemas.summary import Measurement, Summary
from api.schemas.webhooks import BenchmarkWebhook
from shared.benchmark.spec import RunSpec
from shared.benchmark.status import TERMINAL
from shared.db.tables import Benchmark, Result, Segment
from shared.numbers.timeline import decode

# Fields of a spec that the API shows under the same name; name, model and provider are columns of their own.
_OF_SPEC = tuple(name for name in RunSpec.model_fields if name not in ("name", "model", "provider"))
# Columns of a result that the API shows under the same name.
_PLAIN = tuple(name for name in ResultOut.model_fields if name not in ("prompt", "error", "timeline"))


def _fields_of(benchmark: Benchmark) -> dict[str, Any]:
    spec = benchmark.spec
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
        "cancel_requested_at": benchmark.cancel_requested_at,
        "progress": Progress(
            done=benchmark.done,
            total=benchmark.planned,
            errors=benchmark.errors,
            last_ttft_ms=benchmark.last_ttft_ms,
            cost_usd=None if benchmark.cost_usd is None else float(benchmark.cost_usd),
            metrics=LiveMetrics.model_validate(benchmark.live)
            if benchmark.live is not None and benchmark.status == "running"
            else None,
        ),
        "error": RunError.model_validate(benchmark.error) if benchmark.error else None,
        "notices": [*benchmark.notices, *_unclaimable(benchmark)],
        "summary": Summary.model_validate(benchmark.summary) if benchmark.summary else None,
        "price": PriceOut.model_validate(benchmark.price) if benchmark.price else None,
        "interrupted": benchmark.interrupted,
        "rerun_of": benchmark.rerun_of,
        **{name: getattr(spec, name) for name in _OF_SPEC},
        "results_url": f"/benchmarks/{benchmark.id}/results",
    }


def _unclaimable(benchmark: Benchmark) -> list[str]:
    """What a benchmark waits for that no worker can run."""
    if benchmark.unclaimable is None or benchmark.status in TERMINAL:
        return []
    return [f"No worker can run this benchmark now: {benchmark.unclaimable['message']}."]


def benchmark_without_results(benchmark: Benchmark) -> BenchmarkBase:
    """A benchmark for lists, and for answers to a cancel."""
    return BenchmarkBase(**_fields_of(benchmark))


def benchmark_with_results(
    benchmark: Benchmark,
    segments: Sequence[Segment],
    webhook: BenchmarkWebhook | None,
    results: Sequence[ResultOut] | None,
    *,
    truncated: bool,
) -> BenchmarkOut:
    """A benchmark for `GET /benchmarks/{id}` and POST. `results` None: they were not asked for."""
    return BenchmarkOut(
        **_fields_of(benchmark),
        segments=[_segment_out(segment) for segment in segments],
        target=TargetOut.model_validate(benchmark.target) if benchmark.target else None,
        webhook=webhook,
        results=None if results is None else list(results),
        results_truncated=truncated,
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


def result_out(result: Result, prompts: Mapping[int, Mapping[str, Any]], *, with_timeline: bool) -> ResultOut:
    """One result with its prompt's text."""
    prompt = prompts.get(result.prompt_index)
    return ResultOut(
        **{name: getattr(result, name) for name in _PLAIN},
        prompt=prompt["messages"][-1]["content"] if prompt else "",
        error=RequestErrorOut.model_validate(result.error) if result.error else None,
        timeline=_timeline(result.timeline) if with_timeline and result.timeline is not None else None,
    )


def _timeline(blob: bytes) -> list[TimelineEventOut]:
    return [
        TimelineEventOut(offset_ms=event.offset_us / 1_000, kind=event.kind.name.lower(), size=event.size)
        for event in decode(blob)
    ]
