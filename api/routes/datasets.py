"""`/datasets`: files of prompts, conversations and traces, stored once for any number of benchmarks."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response, status
from starlette.exceptions import HTTPException

from api.access.needs import needs
from api.files.dataset_uploads import MAX_DATASET_BYTES
from api.http.proxy import link
from api.lists.cursor import decode_cursor, encode_cursor
from api.present.datasets import dataset_out, row_out
from api.schemas.datasets import DatasetOut, DatasetPage, DatasetRowOut, DatasetRowPage, DatasetUpload, RowQuery
from api.schemas.ids import RowId
from api.schemas.problem import Problem
from api.schemas.webhooks import PageQuery
from api.state import Parts
from shared.db.datasets.repository import StoredRow
from shared.workloads.formats.options import ReadOptions, kind_of
from shared.workloads.formats.reading import MAX_ROWS
from shared.workloads.rows import Kind

router = APIRouter(tags=["datasets"], dependencies=[needs("read")])

DatasetId = Annotated[RowId, Path(description="Id of the dataset.", examples=[1])]
# A form would be what a page of another site can send, and what `curl --data-binary` says if it is not told.
ANY_FILE = "application/octet-stream"
CONTENT_TYPES = ("application/x-ndjson", "application/jsonl", "application/json", "text/csv", ANY_FILE)

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such id."}}
INVALID: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "A field is wrong; `errors` names it."}
}
UPLOAD_ERRORS: dict[int | str, dict[str, Any]] = {
    408: {"model": Problem, "description": "The file has not arrived within five minutes."},
    413: {"model": Problem, "description": f"The file is larger than {MAX_DATASET_BYTES:,} bytes."},
    415: {"model": Problem, "description": "The `Content-Type` or `Content-Encoding` is not one of those listed."},
    422: {
        "model": Problem,
        "description": "A parameter or a line of the file is wrong; `errors` names the first 20, as `line 12`.",
    },
    503: {
        "model": Problem,
        "description": "Too many files arrive at the same time, or the database does not answer.",
    },
}
BODY = {
    "description": f"The file itself. At most {MAX_DATASET_BYTES:,} bytes and {MAX_ROWS:,} rows. Other types that are "
    f"accepted: {', '.join(f'`{name}`' for name in CONTENT_TYPES if name != ANY_FILE)}.",
    "required": True,
    "content": {
        ANY_FILE: {
            # Generators of clients know this type as that of a file.
            "schema": {"type": "string", "format": "binary"},
            "example": '{"prompt": "Say hello in exactly 3 words", "max_tokens": 16}\n',
        }
    },
}


@router.post(
    "/datasets",
    dependencies=[needs("run")],
    operation_id="addDataset",
    status_code=status.HTTP_201_CREATED,
    summary="Store a file of prompts, conversations or a trace",
    responses={
        200: {"model": DatasetOut, "description": "The same file was stored before, read in the same way."},
        **UPLOAD_ERRORS,
    },
    openapi_extra={"requestBody": BODY},
)
async def add(
    query: Annotated[DatasetUpload, Query()],
    request: Request,
    parts: Parts,
    response: Response,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    content_encoding: Annotated[str, Header(description="`gzip`, or left out.", examples=["gzip"])] = "",
) -> DatasetOut:
    """The body is the file: `curl --data-binary @prompts.jsonl -H 'Content-Type: application/x-ndjson'`.

    All lines are checked before anything is stored. Benchmarks name the dataset by its `id` or its `sha256`.
    """
    if content_type.partition(";")[0].strip().lower() not in CONTENT_TYPES:
        raise HTTPException(415, f"send the file with a Content-Type of {', '.join(CONTENT_TYPES)}")
    encoding = content_encoding.strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise HTTPException(415, "the Content-Encoding must be gzip, or left out")
    options = ReadOptions(**query.model_dump(exclude={"name"}, exclude_unset=True))
    dataset, created = await parts.dataset_uploads.take(
        request.stream(), query.name, options, gzipped=encoding == "gzip"
    )
    response.headers["Location"] = link(f"/datasets/{dataset.id}")
    if not created:
        response.status_code = status.HTTP_200_OK
    return dataset_out(dataset)


@router.get("/datasets", operation_id="listDatasets", summary="List datasets, newest first", responses=INVALID)
async def list_datasets(query: Annotated[PageQuery, Query()], parts: Parts) -> DatasetPage:
    """Each with its facts, without its rows."""
    before_id = decode_cursor(query.cursor, int)[0] if query.cursor else None
    found = await parts.datasets.page(before_id=before_id, limit=query.limit + 1)
    shown = found[: query.limit]
    return DatasetPage(
        items=[dataset_out(dataset) for dataset in shown],
        next_cursor=encode_cursor(shown[-1].id) if len(found) > query.limit else None,
    )


@router.get(
    "/datasets/{dataset_id}",
    operation_id="getDataset",
    summary="Read what is known of a dataset",
    responses={**NOT_FOUND, **INVALID},
)
async def read(dataset_id: DatasetId, parts: Parts) -> DatasetOut:
    """Its size, its hash, how many rows it has, which were left out, and how long they are."""
    return dataset_out(await parts.datasets.get(dataset_id))


@router.get(
    "/datasets/{dataset_id}/rows",
    operation_id="listDatasetRows",
    summary="Read the rows of a dataset",
    responses={**NOT_FOUND, **INVALID},
)
async def rows(dataset_id: DatasetId, query: Annotated[RowQuery, Query()], parts: Parts) -> DatasetRowPage:
    """The rows as benchmarks send them, in the order of the file."""
    dataset = await parts.datasets.get(dataset_id)
    after = -1 if query.cursor is None else min(max(-1, decode_cursor(query.cursor, int)[0]), MAX_ROWS)
    found = await parts.datasets.rows(dataset_id, after=after, limit=query.limit)
    more = bool(found) and found[-1].number + 1 < dataset.rows
    return DatasetRowPage(
        items=await asyncio.to_thread(_all_out, found, kind_of(dataset.format)),
        next_cursor=encode_cursor(found[-1].number) if more else None,
    )


@router.delete(
    "/datasets/{dataset_id}",
    dependencies=[needs("run")],
    operation_id="deleteDataset",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a dataset",
    responses={
        409: {"model": Problem, "description": "Benchmarks that have not ended use it; `detail` has their ids."},
        **NOT_FOUND,
        **INVALID,
    },
)
async def delete(dataset_id: DatasetId, parts: Parts) -> None:
    """Benchmarks that have ended keep their results, but cannot be run again."""
    await parts.datasets.delete(dataset_id)


def _all_out(found: list[StoredRow], kind: Kind) -> list[DatasetRowOut]:
    return [row_out(stored, kind) for stored in found]
