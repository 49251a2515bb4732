"""`/benchmarks/{id}/charts`: the data of a benchmark's charts, computed from its results."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Response

from api.access.needs import needs
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.charts import ChartsOut
from api.state import Parts
from shared.benchmark.charts.tables import TABLES, FigureId
from shared.exports import csv_table

router = APIRouter(tags=["benchmarks"], dependencies=[needs("read")])


@router.get(
    "/benchmarks/{benchmark_id}/charts",
    operation_id="getCharts",
    summary="Read the data of the charts",
    response_model=ChartsOut,
    responses={**NOT_FOUND, **INVALID},
)
async def read_charts(benchmark_id: BenchmarkId, parts: Parts) -> Response:
    """Distributions, series over time, single requests, fitted lines and errors, each small enough to draw.

    They are computed at the first request after the benchmark has ended, and kept. While it runs, they are at most a
    few seconds old.
    """
    document = await parts.charts.of(benchmark_id)
    return Response(await asyncio.to_thread(orjson.dumps, document), media_type="application/json")


@router.get(
    "/benchmarks/{benchmark_id}/charts/{figure}.csv",
    operation_id="getFigure",
    summary="Read the table behind a figure",
    response_class=Response,
    responses={
        200: {
            "description": "The rows of the figure. Names of columns end in their unit.",
            "content": {"text/csv": {"schema": {"type": "string"}, "example": "share,ttft_ms\r\n0.5,142.5\r\n"}},
        },
        **NOT_FOUND,
        **INVALID,
    },
)
async def read_figure(
    benchmark_id: BenchmarkId,
    figure: Annotated[FigureId, Path(description="Which figure of the benchmark's page.", examples=["ttft-ecdf"])],
    parts: Parts,
) -> Response:
    """The values that a figure of the benchmark's page draws, as CSV."""
    document = await parts.charts.of(benchmark_id)
    return Response(
        await asyncio.to_thread(_csv, document, figure),
        media_type=csv_table.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="benchmark-{benchmark_id}-{figure}.csv"'},
    )


def _csv(document: Mapping[str, Any], figure: FigureId) -> str:
    table = TABLES[figure](document)
    return csv_table.small_table(table.columns, table.rows)
