"""`/ui/compare`: which one, and how sure are we?"""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from api.access.needs import needs
from api.http.proxy import link
from api.pages.charts.distribution import series
from api.pages.charts.figure import Figure
from api.pages.comparison_view import VERDICT_WORDS, forest_of, overlaid, sentences, shown
from api.pages.site import page
from api.pages.tables import csv_of
from api.pages.urls import with_query
from api.present.comparisons import LEAST
from api.schemas.comparison import ComparisonOut, MarginQuery, split
from api.schemas.ids import RowId
from api.state import Parts
from shared.errors import NotFound

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])


class ComparePageQuery(MarginQuery):
    """The state of the page in its URL. Forms send empty fields, which mean the default."""

    model_config = ConfigDict(extra="ignore")

    ids: Annotated[tuple[RowId, ...], BeforeValidator(split)] = Field(default=())

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        return {name: value for name, value in values.items() if value != ""} if isinstance(values, dict) else values


@router.get("/compare")
async def compare_page(request: Request, query: Annotated[ComparePageQuery, Query()], parts: Parts) -> HTMLResponse:
    if len(query.ids) < LEAST:
        return page(request, "compare/none.html", chosen=query.ids)
    document = ComparisonOut.model_validate(await parts.comparisons.of(query.ids, query.margins)).model_dump()
    charts = [await parts.charts.of(number) for number in query.ids]
    ids, pairs = ",".join(map(str, query.ids)), _pairs(query)
    return page(
        request,
        "compare/compare.html",
        document=document,
        chosen=query,
        ids=ids,
        series=series,
        shown=shown,
        words=VERDICT_WORDS,
        about=sentences(document),
        forest=_with_csv(forest_of(document), pairs),
        figures=[_with_csv(item, pairs) for item in overlaid(document, charts, request.query_params)],
        json_url=with_query(link("/compare"), pairs),
        csv_url=with_query(link("/compare/export"), pairs),
        report_url=with_query(link("/ui/report"), [("ids", ids)]),
        turned_url=with_query(link("/ui/compare"), pairs, ids=",".join(map(str, reversed(query.ids)))),
    )


@router.get("/compare/{figure}.csv")
async def compare_csv(
    figure: Literal["differences", "ttft-ecdf", "latency-ecdf"],
    query: Annotated[ComparePageQuery, Query()],
    parts: Parts,
) -> Response:
    document = await parts.comparisons.of(query.ids, query.margins)
    if figure == "differences":
        return csv_of(forest_of(document))
    charts = [await parts.charts.of(number) for number in query.ids]
    found = next((item for item in overlaid(document, charts, {}) if item.id == figure), None)
    if found is None:
        raise NotFound("none of these benchmarks has such values")
    return csv_of(found)


def _pairs(query: ComparePageQuery) -> list[tuple[str, str]]:
    """What the URL must say."""
    margins = query.model_dump(exclude_defaults=True, exclude={"ids"})
    return [("ids", ",".join(map(str, query.ids))), *((name, str(value)) for name, value in margins.items())]


def _with_csv(figure: Figure, pairs: list[tuple[str, str]]) -> Figure:
    return replace(figure, csv_url=with_query(link(f"/ui/compare/{figure.id}.csv"), pairs))
