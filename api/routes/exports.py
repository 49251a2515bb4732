"""`/benchmarks/{id}/export`, `/benchmarks/export`: data as files."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.export_document import document_pieces
from api.exports import CsvWriter, LinesWriter, TableWriter, file_answer, table_pieces
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.exports import ExportQuery
from api.state import Parts
from shared.exports.columns import Column
from shared.exports.formats import FILE_TYPES

router = APIRouter(tags=["exports"])

_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {kind.media_type.partition(";")[0]: _FILE for kind in FILE_TYPES.values()},
    }
}


def _parquet(columns: Sequence[Column]) -> TableWriter:
    # Here, so that the API does not import numpy at its start.
    from shared.exports.parquet import ParquetWriter

    return ParquetWriter(columns)


_WRITERS: dict[str, Callable[[Sequence[Column]], TableWriter]] = {
    "csv": CsvWriter,
    "jsonl": LinesWriter,
    "parquet": _parquet,
}


@router.get(
    "/benchmarks/{benchmark_id}/export",
    operation_id="exportBenchmark",
    summary="Export a benchmark as a file",
    response_class=Response,
    responses={**FILE, **NOT_FOUND, **INVALID},
)
async def export(
    benchmark_id: BenchmarkId, query: Annotated[ExportQuery, Query()], request: Request, parts: Parts
) -> Response:
    """The results that are stored when the export begins, in the order in which they were stored.

    If the file cannot be completed, the connection breaks off before its end.
    """
    benchmark = await parts.benchmarks.get(benchmark_id)
    named = ("benchmark", benchmark_id, benchmark.name)
    if query.format == "json":
        extent = await parts.export_rows.extent(benchmark_id, warmup=True)
        pieces = document_pieces(parts, benchmark, extent)
    else:
        extent = await parts.export_rows.extent(benchmark_id, warmup=query.warmup)
        writer = _WRITERS[query.format]
        pieces = table_pieces(parts, benchmark_id, extent, writer, query.include, warmup=query.warmup)
    return await file_answer(request, query.format, pieces, *named, rows=extent.rows)
