"""`/benchmarks/{id}/results`: results in pages, filtered and sorted."""

from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from api.access.needs import needs
from api.http.answers import json_answer
from api.lists.result_cursor import cursor_of, position_of
from api.present.results import results_json
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.include import Include
from api.schemas.results import ResultPage
from api.state import Parts
from shared.benchmark.results.outcome import Outcome
from shared.db.results.pages import SORTABLE

router = APIRouter(tags=["benchmarks"], dependencies=[needs("read")])


def _sortable(value: str) -> str:
    if value.removeprefix("-") not in SORTABLE:
        raise ValueError(f"must be one of {', '.join(SORTABLE)}, optionally with - in front")
    return value


Sort = Annotated[
    str,
    AfterValidator(_sortable),
    WithJsonSchema(
        {
            "type": "string",
            "examples": ["-ttft_ms"],
            "enum": [f"{sign}{name}" for name in SORTABLE for sign in ("", "-")],
        }
    ),
]


class ResultQuery(BaseModel):
    """Which results, in which order."""

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome | None = Field(default=None, description="Only results with this outcome.")
    warmup: bool | None = Field(default=False, description="`false`: only measured requests; `true`: only warm-up.")
    sort: Sort = Field(
        default="id",
        description="Field to sort by. A `-` in front sorts in descending order: `-ttft_ms`. Unknown values come last. "
        f"One of: {', '.join(SORTABLE)}.",
        examples=["-ttft_ms"],
    )
    include: Include = Field(default=(), description="`timeline` adds every event.", examples=[["timeline"]])
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page. `sort` must be the same as there."
    )
    limit: int = Field(default=100, ge=1, le=1_000, description="Results on a page.")


@router.get(
    "/benchmarks/{benchmark_id}/results",
    operation_id="listResults",
    summary="Page through results",
    response_model=ResultPage,
    responses={**NOT_FOUND, **INVALID},
)
async def list_results(benchmark_id: BenchmarkId, query: Annotated[ResultQuery, Query()], parts: Parts) -> Response:
    """Results in the order of `sort`. Equal values are ordered by id, so that no result is repeated or left out."""
    column, descending = query.sort.removeprefix("-"), query.sort.startswith("-")
    with_timeline = "timeline" in query.include
    await parts.benchmarks.status(benchmark_id)
    listed = await parts.result_pages.page(
        benchmark_id,
        outcome=query.outcome,
        warmup=query.warmup,
        sort=column,
        descending=descending,
        after=position_of(query.cursor, query.sort),
        limit=query.limit + 1,
        with_timeline=with_timeline,
    )
    shown = listed[: query.limit]
    results = results_json(parts, benchmark_id, shown, timeline=with_timeline)

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"items":['
        async for piece in results.pieces():
            yield piece
        more = results.is_cut or len(listed) > len(shown)
        cursor = cursor_of(results.last, query.sort) if more and results.last is not None else None
        yield b'],"next_cursor":' + orjson.dumps(cursor) + b"}"

    return await json_answer(pieces())
