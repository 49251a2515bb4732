"""`/import`: benchmarks that another server exported."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response, status
from starlette.exceptions import HTTPException

from api.access.needs import needs
from api.files.imports import MAX_IMPORT_BYTES
from api.http.proxy import link
from api.present.benchmarks import benchmark_without_results
from api.schemas.benchmarks import BenchmarkBase
from api.schemas.problem import Problem
from api.state import Parts

router = APIRouter(tags=["exports"], dependencies=[needs("read")])

ERRORS: dict[int | str, dict[str, Any]] = {
    200: {"model": BenchmarkBase, "description": "The same content was imported before; this is that benchmark."},
    408: {"model": Problem, "description": "The file has not arrived within ten minutes."},
    413: {"model": Problem, "description": f"The file is larger than {MAX_IMPORT_BYTES:,} bytes."},
    415: {"model": Problem, "description": "The `Content-Type` or `Content-Encoding` is not one of those accepted."},
    422: {"model": Problem, "description": "Something in the file is wrong; `errors` names it."},
    503: {"model": Problem, "description": "Too many imports arrive together, or the database does not answer."},
}
BODY = {
    "description": "A file that `GET /benchmarks/{id}/export?format=json` wrote. "
    f"At most {MAX_IMPORT_BYTES:,} bytes.",
    "required": True,
    "content": {"application/json": {"schema": {"type": "object"}}},
}


@router.post(
    "/import",
    dependencies=[needs("run")],
    operation_id="importBenchmark",
    status_code=status.HTTP_201_CREATED,
    summary="Store a benchmark that was exported as JSON",
    responses=ERRORS,
    openapi_extra={"requestBody": BODY},
)
async def import_benchmark(
    request: Request,
    parts: Parts,
    response: Response,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    content_encoding: Annotated[str, Header(description="`gzip`, or left out.", examples=["gzip"])] = "",
) -> BenchmarkBase:
    """The benchmark has ended, has `imported: true`, and has a new id. No webhook is told of it.

    Everything is checked before anything is stored. The same content is stored once, whoever exported it.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send the export with a Content-Type of application/json")
    encoding = content_encoding.strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise HTTPException(415, "the Content-Encoding must be gzip, or left out")
    benchmark, created = await parts.imports.take(request.stream(), gzipped=encoding == "gzip")
    response.headers["Location"] = link(f"/benchmarks/{benchmark.id}")
    if not created:
        response.status_code = status.HTTP_200_OK
    return benchmark_without_results(benchmark)
