"""`/benchmarks/{id}/curve`: throughput and latency by load, from the stages of a run."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.curve import CurveOut, CurveQuery
from api.state import Parts
from shared.benchmark.results.curve import curve_of
from shared.benchmark.results.curve_point import CurveStage

router = APIRouter(tags=["benchmarks"])


@router.get(
    "/benchmarks/{benchmark_id}/curve",
    operation_id="getCurve",
    summary="Read the load curve",
    responses={**NOT_FOUND, **INVALID},
)
async def read_curve(benchmark_id: BenchmarkId, query: Annotated[CurveQuery, Query()], parts: Parts) -> CurveOut:
    """Throughput with latencies for each load that the benchmark measured, the knee, and the highest load within SLOs.

    It is made for a `sweep`. The stages of every other `load` have a curve too, and so has a search. While the
    benchmark runs, it has the stages that have ended.
    """
    benchmark = await parts.benchmarks.get(benchmark_id)
    stages = [
        CurveStage(row.number, row.label, row.ended_by, row.summary)
        for row in await parts.stages.of(benchmark_id)
        if row.summary is not None
    ]
    if not stages and benchmark.summary is not None and not benchmark.spec.has_stages:
        # A run without a `load` of its own is one stage.
        stages = [CurveStage(0, {}, "requests" if benchmark.status == "completed" else "cancelled", benchmark.summary)]
    return CurveOut.model_validate(curve_of(stages, query.slos))
