"""`/ui/benchmarks/{id}`: how fast, how steady, how dear, and can I trust it?"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, get_args

import orjson
from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from api.access.needs import needs
from api.http.proxy import link
from api.lists.result_cursor import cursor_of, position_of
from api.pages.benchmark.chosen import SORTS, chosen, needs_time
from api.pages.benchmark.complexity import what_is_not_seen
from api.pages.benchmark.figures import Figures
from api.pages.benchmark.key_figures import key_figures
from api.pages.benchmark.request_rows import CLIPPED, request_rows
from api.pages.benchmark.spec_text import spec_of
from api.pages.charts.figure import Figure
from api.pages.routes.actions import new_key
from api.pages.site import page
from api.pages.urls import with_query
from api.present.results import PromptTexts
from api.present.whole_benchmark import whole_benchmark
from api.schemas.benchmarks import BenchmarkOut
from api.schemas.ids import RowId
from api.state import Parts, State
from shared.benchmark.charts.tables import FigureId
from shared.benchmark.results.outcome import OUTCOMES
from shared.benchmark.status import TERMINAL

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

BenchmarkId = Annotated[RowId, Path()]
PAGE = 100
# The figures of so many results are made while the reader waits; those of more come after the page.
QUICK = 5_000
# How long a page makes prompts that are not stored. The rows after that have none.
MAKING_S = 0.3
# The query of a page holds the zoom of each figure and the place in the table.
_OF_TABLE = ("outcome", "sort", "cursor")
_ON_PAGE: tuple[FigureId, ...] = tuple(name for name in get_args(FigureId) if name != "errors")


@router.get("/benchmarks/{benchmark_id:int}")
async def benchmark_page(benchmark_id: BenchmarkId, request: Request, parts: Parts) -> HTMLResponse:
    benchmark = await parts.benchmarks.get(benchmark_id)
    shown = await whole_benchmark(parts, benchmark, None)
    query = request.query_params
    later = shown.progress.done > QUICK and "figures" not in query and not await parts.charts.are_kept(benchmark_id)
    charts = None if later else await parts.charts.of(benchmark_id)
    drawn = {} if charts is None else await _figures(charts, shown, query, _ON_PAGE)
    return page(
        request,
        "benchmark/page.html",
        shown=shown,
        is_open=shown.status not in TERMINAL,
        texts_deleted_at=benchmark.texts_deleted_at,
        key_figures=key_figures(shown),
        charts=charts,
        figures=drawn,
        not_seen=[] if charts is None else what_is_not_seen(charts["fits"]),
        figures_url=with_query(_path(benchmark_id, "/figures"), query.multi_items()),
        figures_now_url=with_query(_path(benchmark_id), query.multi_items(), figures="now"),
        spec=orjson.dumps(spec_of(shown), option=orjson.OPT_INDENT_2).decode(),
        key=new_key(),
        **await _table(parts, shown, query, charts),
    )


@router.get("/benchmarks/{benchmark_id:int}/figures")
async def all_figures(benchmark_id: BenchmarkId, request: Request, parts: Parts) -> HTMLResponse:
    """The figures of a large benchmark, which come after its page."""
    shown = await whole_benchmark(parts, await parts.benchmarks.get(benchmark_id), None)
    charts = await parts.charts.of(benchmark_id)
    return page(
        request,
        "benchmark/figures.html",
        shown=shown,
        charts=charts,
        figures=await _figures(charts, shown, request.query_params, _ON_PAGE),
        not_seen=what_is_not_seen(charts["fits"]),
    )


@router.get("/benchmarks/{benchmark_id:int}/figures/{figure_id}")
async def one_figure(benchmark_id: BenchmarkId, figure_id: FigureId, request: Request, parts: Parts) -> HTMLResponse:
    """One figure, as zooming reads it."""
    shown = await whole_benchmark(parts, await parts.benchmarks.get(benchmark_id), None)
    charts = await parts.charts.of(benchmark_id)
    drawn = await _figures(charts, shown, request.query_params, (figure_id,))
    return page(request, "benchmark/one_figure.html", figure_shown=drawn[figure_id])


@router.get("/benchmarks/{benchmark_id:int}/requests")
async def requests_table(benchmark_id: BenchmarkId, request: Request, parts: Parts) -> HTMLResponse:
    """The table of requests alone: what paging, filtering and zooming change."""
    shown = await whole_benchmark(parts, await parts.benchmarks.get(benchmark_id), None)
    query = request.query_params
    charts = await parts.charts.of(benchmark_id) if needs_time(query) else None
    # So that the URL of the page shows the same table again.
    headers = {"HX-Replace-Url": with_query(_path(benchmark_id), query.multi_items())}
    table = await _table(parts, shown, query, charts)
    return page(request, "benchmark/requests.html", headers=headers, shown=shown, **table)


async def _figures(
    charts: Mapping[str, Any], shown: BenchmarkOut, query: Mapping[str, str], wanted: Sequence[FigureId]
) -> dict[str, Figure]:
    """In a thread: thousands of points take some tens of ms."""
    at = f"/benchmarks/{shown.id}/charts/"
    made = Figures(
        charts,
        shown.summary,
        query,
        csv=lambda name: link(f"{at}{name}.csv"),
        at=lambda name: _path(shown.id, f"/figures/{name}"),
    )
    return await asyncio.to_thread(lambda: {name: made.of(name) for name in wanted})


async def _table(parts: State, shown: BenchmarkOut, query: Any, charts: Mapping[str, Any] | None) -> dict[str, Any]:
    """A page of requests, and the URLs that change it."""
    begins = charts and charts["over_time"]["begins_at"]
    begins_at = datetime.fromisoformat(begins) if begins else None
    choice = chosen(query, begins_at)
    listed = await parts.result_pages.page(
        shown.id,
        outcome=choice.outcome,
        warmup=False,
        sort=choice.sort.removeprefix("-"),
        descending=choice.sort.startswith("-"),
        after=position_of(query.get("cursor") or None, choice.sort),
        limit=PAGE + 1,
        with_timeline=False,
        within=choice.within,
    )
    found = await parts.result_pages.shown([item.id for item in listed[:PAGE]], CLIPPED + 1)
    prompts = await PromptTexts(parts, shown.id, MAKING_S).of(found)
    pairs = query.multi_items()
    next_cursor = cursor_of(listed[PAGE - 1], choice.sort) if len(listed) > PAGE else None

    def urls(**changes: str | None) -> dict[str, str]:
        return {
            "href": with_query(_path(shown.id), pairs, **changes) + "#requests",
            "part": with_query(_path(shown.id, "/requests"), pairs, **changes),
        }

    return {
        "rows": request_rows(found, prompts),
        "choice": choice,
        "outcomes": OUTCOMES,
        "sorts": [(name, urls(sort=name if name != "id" else None, cursor=None)) for name in SORTS],
        "kept_pairs": [item for item in pairs if item[0] not in _OF_TABLE],
        "next_page": urls(cursor=next_cursor) if next_cursor else None,
        "first_page": urls(cursor=None) if query.get("cursor") else None,
        "all_requests": urls(cursor=None, outcome=None, **{name: None for name, _ in pairs if name.startswith("zoom.")})
        if choice.words or choice.outcome
        else None,
        "part_url": _path(shown.id, "/requests"),
        "page_url": _path(shown.id),
    }


def _path(benchmark_id: int, rest: str = "") -> str:
    return link(f"/ui/benchmarks/{benchmark_id}{rest}")
