"""`/baselines`: names for the benchmarks that later ones are compared with."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response, status

from api.access.needs import needs
from api.http.body import JsonRoute
from api.lists.cursor import decode_cursor, encode_cursor
from api.schemas.baselines import BaselineIn, BaselineName, BaselineOut, BaselinePage
from api.schemas.problem import Problem
from api.schemas.webhooks import PageQuery
from api.state import Parts
from shared.db.results.baselines import NamedBenchmark

router = APIRouter(tags=["baselines"], route_class=JsonRoute, dependencies=[needs("read")])

Name = Annotated[
    BaselineName,
    Path(
        description="Name of the baseline: small letters, digits, `.`, `_` and `-`; not digits alone.",
        examples=["main"],
    ),
]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such baseline."}}
INVALID: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "A field is wrong; `errors` names it."}
}


@router.get("/baselines", operation_id="listBaselines", summary="List baselines by name", responses=INVALID)
async def list_baselines(query: Annotated[PageQuery, Query()], parts: Parts) -> BaselinePage:
    """Each with the benchmark that it names."""
    after = decode_cursor(query.cursor, str)[0] if query.cursor else None
    found = await parts.baselines.page(after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    return BaselinePage(
        items=[_out(item) for item in shown],
        next_cursor=encode_cursor(shown[-1].key) if len(found) > query.limit else None,
    )


@router.get(
    "/baselines/{name}", operation_id="getBaseline", summary="Read a baseline", responses={**NOT_FOUND, **INVALID}
)
async def read(name: Name, parts: Parts) -> BaselineOut:
    """The benchmark that has this name now."""
    return _out(await parts.baselines.get(name))


@router.put(
    "/baselines/{name}",
    dependencies=[needs("run")],
    operation_id="setBaseline",
    summary="Give a name to a benchmark",
    responses={
        201: {"model": BaselineOut, "description": "The name is new."},
        404: {"model": Problem, "description": "There is no such benchmark."},
        409: {"model": Problem, "description": "The benchmark has not completed."},
        **INVALID,
    },
)
async def put(name: Name, body: BaselineIn, parts: Parts, response: Response) -> BaselineOut:
    """Only a completed benchmark gets one. A name that exists moves to this benchmark.

    While a benchmark has a name, it cannot be deleted, and `RETENTION_DAYS` leaves it alone.
    """
    baseline, created = await parts.baselines.put(name, body.benchmark_id)
    if created:
        response.status_code = status.HTTP_201_CREATED
    return _out(baseline)


@router.delete(
    "/baselines/{name}",
    dependencies=[needs("run")],
    operation_id="deleteBaseline",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a baseline and keep its benchmark",
    responses={**NOT_FOUND, **INVALID},
)
async def delete(name: Name, parts: Parts) -> None:
    """Only the name goes. Its benchmark can be deleted then, if it has no other."""
    await parts.baselines.delete(name)


def _out(baseline: NamedBenchmark) -> BaselineOut:
    return BaselineOut(**{name: getattr(baseline, name) for name in BaselineOut.model_fields})
