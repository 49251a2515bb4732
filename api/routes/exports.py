"""`/benchmarks/{id}/export`, `/benchmarks/export`: data as files."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.access.needs import needs
from api.files.export_document import document_pieces
from api.files.export_list import comparison_pieces, list_pieces
from api.files.exports import CsvWriter, LinesWriter, TableWriter, file_answer, table_pieces
from api.lists.benchmarks import filter_of
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.routes.compare import RESPONSES as COMPARE_RESPONSES
from api.routes.compare import compare
from api.schemas.exports import BenchmarkExportQuery, CompareExportQuery, ExportQuery
from api.schemas.problem import Problem
from api.state import Parts
from shared.db.tables.benchmarks import Benchmark
from shared.errors import Conflict, InvalidRequest
from shared.exports.columns import Column
from shared.exports.document import FORMAT, VERSION
from shared.exports.formats import FILE_TYPES
from shared.exports.names import Format

router = APIRouter(tags=["exports"], dependencies=[needs("read")])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
# Of a file as text, generators of clients would make a JSON text.
_DOCUMENT = {
    "schema": {
        "type": "object",
        "description": "`format=json`: the whole benchmark, as `POST /import` takes it.",
        "examples": [{"format": FORMAT, "version": VERSION, "benchmark": {}, "results": []}],
    }
}


def _file(*formats: Format) -> dict[int | str, dict[str, Any]]:
    kinds = [FILE_TYPES[name].media_type.partition(";")[0] for name in formats]
    content = {kind: _DOCUMENT if kind == "application/json" else _BINARY for kind in kinds}
    return {200: {"description": "The file.", "content": content}}


def _parquet(columns: Sequence[Column]) -> TableWriter:
    # Here, so that an API that writes no Parquet files does not load pyarrow.
    try:
        from shared.exports.parquet import ParquetWriter
    except ModuleNotFoundError:
        message = "this server cannot write Parquet: `pip install 'llmbench[parquet]'` adds what it needs"
        raise InvalidRequest.of("format", message) from None
    return ParquetWriter(columns)


WRITERS: dict[str, Callable[[Sequence[Column]], TableWriter]] = {
    "csv": CsvWriter,
    "jsonl": LinesWriter,
    "parquet": _parquet,
}


@router.get(
    "/benchmarks/export",
    operation_id="exportBenchmarks",
    summary="Export the list of benchmarks as a file",
    response_class=Response,
    responses={**_file("csv", "jsonl"), **INVALID},
)
async def export_list(query: Annotated[BenchmarkExportQuery, Query()], request: Request, parts: Parts) -> Response:
    """A row for each benchmark that the filters leave, newest first, with the main numbers of its summary."""
    pieces = list_pieces(parts, filter_of(query), query.format)
    return await file_answer(request, query.format, pieces, "benchmarks")


@router.get(
    "/compare/export",
    operation_id="exportComparison",
    summary="Export a comparison as a file",
    response_class=Response,
    responses={**_file("csv", "jsonl"), **COMPARE_RESPONSES},
)
async def export_comparison(query: Annotated[CompareExportQuery, Query()], request: Request, parts: Parts) -> Response:
    """A row for each statistic of each benchmark, with the difference from the reference and its intervals."""
    document = await compare(query, parts)
    pieces = comparison_pieces(document.model_dump(mode="json"), query.format)
    return await file_answer(request, query.format, pieces, "comparison", *query.ids)


async def _report(benchmark: Benchmark) -> AsyncIterator[bytes]:
    # Here, because only a few exports need YAML.
    from shared.exports.llmd import report_yaml

    yield await asyncio.to_thread(report_yaml, benchmark)


@router.get(
    "/benchmarks/{benchmark_id}/export",
    operation_id="exportBenchmark",
    summary="Export a benchmark as a file",
    response_class=Response,
    responses={
        **_file(*FILE_TYPES),
        **NOT_FOUND,
        **INVALID,
        409: {"model": Problem, "description": "`llmd`: the benchmark has no summary yet."},
    },
)
async def export(
    benchmark_id: BenchmarkId, query: Annotated[ExportQuery, Query()], request: Request, parts: Parts
) -> Response:
    """The results that are stored when the export begins, in the order in which they were stored.

    If the file cannot be completed, the connection breaks off before its end.
    """
    benchmark = await parts.benchmarks.get(benchmark_id)
    named = ("benchmark", benchmark_id, benchmark.name)
    if query.format == "llmd":
        if benchmark.summary is None:
            raise Conflict(f"benchmark {benchmark_id} has no summary, which a report is made of: it has not ended")
        return await file_answer(request, query.format, _report(benchmark), *named)
    if query.format == "json":
        extent = await parts.export_rows.extent(benchmark_id, warmup=True)
        pieces = document_pieces(parts, benchmark, extent)
    else:
        extent = await parts.export_rows.extent(benchmark_id, warmup=query.warmup)
        writer = WRITERS[query.format]
        pieces = table_pieces(parts, benchmark_id, extent, writer, query.include, warmup=query.warmup)
    return await file_answer(request, query.format, pieces, *named, rows=extent.rows)
