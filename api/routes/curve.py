"""`/benchmarks/{id}/curve`: throughput and latency by load, from the stages of a run."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.access.needs import needs
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.curve import CurveOut, CurveQuery
from api.state import Parts, State
from shared.benchmark.results.curve import CurveSlo, curve_of
from shared.benchmark.results.curve_point import CurveStage

router = APIRouter(tags=["benchmarks"], dependencies=[needs("read")])


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
    return CurveOut.model_validate(await curve_document(parts, benchmark_id, query.slos))


async def curve_document(parts: State, benchmark_id: int, slos: Sequence[CurveSlo]) -> dict[str, Any]:
    """The curve of a stored benchmark. The page of the curve shows it too."""
    benchmark = await parts.benchmarks.get(benchmark_id)
    stages = [
        CurveStage(row.number, row.label, row.ended_by, row.summary)
        for row in await parts.stages.of(benchmark_id)
        if row.summary is not None
    ]
    if not stages and benchmark.summary is not None and not benchmark.spec.has_stages:
        # A run without a `load` of its own is one stage.
        stages = [CurveStage(0, {}, "requests" if benchmark.status == "completed" else "cancelled", benchmark.summary)]
    return curve_of(stages, slos)
