"""`/benchmarks/{id}/observations`: what the server under test said about itself during the run."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.access.needs import needs
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.observations import ObservationQuery, ObservationsOut
from api.state import Parts
from shared.db.tables.benchmarks import StageRow
from shared.errors import NotFound
from shared.observing.series import BY_NAME
from shared.observing.thinning import Thinned

router = APIRouter(tags=["benchmarks"], dependencies=[needs("read")])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@router.get(
    "/benchmarks/{benchmark_id}/observations",
    operation_id="listObservations",
    summary="Read the server's own metrics",
    responses={**NOT_FOUND, **INVALID},
)
async def list_observations(
    benchmark_id: BenchmarkId, query: Annotated[ObservationQuery, Query()], parts: Parts
) -> ObservationsOut:
    """Running and waiting requests, use of caches, power and more, as the server's Prometheus endpoints gave them.

    Empty if the endpoint has no `metrics_urls`, or the benchmark has `observe: false`. A running benchmark stores its
    samples about every 20 s.
    """
    await parts.benchmarks.status(benchmark_id)
    begin_us, end_us = None, None
    if query.stage is not None:
        rows = await parts.stages.of(benchmark_id)
        row = next((row for row in rows if row.number == query.stage), None)
        if row is None:
            raise NotFound(f"benchmark {benchmark_id} has no stage {query.stage} that has begun")
        begin_us, end_us = _time_of(row)
    extent = await parts.observations.extent(benchmark_id, begin_us, end_us)
    if extent is None:
        return ObservationsOut(samples=0, failures={}, is_thinned=False, series={})
    begin_us = extent.begin_us if begin_us is None else max(begin_us, extent.begin_us)
    end_us = extent.end_us if end_us is None else min(end_us, extent.end_us)
    thinned = Thinned(begin_us, end_us, extent.samples)
    async for samples in parts.observations.samples(benchmark_id, begin_us, end_us):
        for sample in samples:
            thinned.add(sample)
    return ObservationsOut.model_validate(_document(thinned))


def _time_of(row: StageRow) -> tuple[int, int | None]:
    """When the requests of a stage ran, or how far it has come, in µs since the epoch."""
    observed = (row.summary or {}).get("observed")
    if observed is not None:
        return _us(datetime.fromisoformat(observed["begin_at"])), _us(datetime.fromisoformat(observed["end_at"]))
    return _us(row.started_at), None if row.ended_at is None else _us(row.ended_at)


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _document(thinned: Thinned) -> dict[str, Any]:
    return {
        "samples": thinned.samples,
        "failures": thinned.failures,
        "is_thinned": thinned.is_thinned,
        "series": {
            name: {
                "unit": BY_NAME[name].unit,
                "points": [(_EPOCH + timedelta(microseconds=at_us), value) for at_us, value in points],
            }
            for name, points in thinned.series().items()
        },
    }
