"""`/benchmarks/{id}/results`: results in pages, filtered and sorted."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from api.answers import json_answer
from api.cursor import decode_cursor, encode_cursor
from api.present_results import results_json
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.include import Include
from api.schemas.results import ResultPage
from api.state import Parts
from shared.benchmark.results.outcome import Outcome
from shared.db.result_pages import SORTABLE, ListedResult
from shared.db.tables import Result
from shared.errors import InvalidRequest

router = APIRouter(tags=["benchmarks"])

# No request costs this much, and both databases can compare with it.
MOST_USD = 1_000_000
# Digits after the point that the column holds, see `shared.db.types.Usd`.
USD_PLACES = 12


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
        after=_position(query.cursor, query.sort, column),
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
        cursor = _cursor(results.last, query.sort) if more and results.last is not None else None
        yield b'],"next_cursor":' + orjson.dumps(cursor) + b"}"

    return await json_answer(pieces())


def _cursor(result: ListedResult, sort: str) -> str:
    # A decimal is written as text, so that its exact value comes back.
    value = str(result.value) if isinstance(result.value, Decimal) else result.value
    return encode_cursor(sort, value, result.id)


def _position(cursor: str | None, sort: str, column: str) -> tuple[Any, int] | None:
    if cursor is None:
        return None
    given_sort, value, result_id = decode_cursor(cursor, str, (int, float, str, type(None)), int)
    kind = Result.__table__.c[column].type.python_type
    if kind is Decimal and isinstance(value, str):
        value = _decimal(value)
    # The value must have the column's type, or the database driver refuses the comparison.
    if given_sort != sort or not (value is None or type(value) is kind):
        raise InvalidRequest.of("cursor", "belongs to another `sort`: take it from `next_cursor`", "invalid_cursor")
    return value, result_id


def _decimal(text: str) -> Decimal | str:
    """The amount in a cursor; the text itself if it is no amount that `_cursor` could have written."""
    try:
        amount = Decimal(text)
    except ArithmeticError:
        return text
    # A driver would expand an amount such as 1e-20000 to all its digits.
    exponent = amount.as_tuple().exponent
    is_amount = isinstance(exponent, int) and -USD_PLACES <= exponent <= 0 and abs(amount) < MOST_USD
    return amount if is_amount else text
