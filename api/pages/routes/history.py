"""`/ui/history`: did it change, and when? One metric over time, one point a run, the same prompts only."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict, Field

from api.access.needs import needs
from api.http.proxy import link
from api.pages.charts.history import history_figure
from api.pages.history_points import caption_of, metric_named, rows_of, run_points
from api.pages.queries import query_of
from api.pages.site import page
from api.pages.urls import with_query
from api.pages.words.history import axis_text, unit_text, value_text
from api.present.history import history, series_list
from api.schemas.history import DEFAULT_METRIC, MAX_POINTS, HistoryQuery, MetricName, MetricOut, RunSeries, SetsQuery
from api.state import Parts
from shared.exports.csv_table import MEDIA_TYPE, small_table

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

PATH = "/ui/history"


class PageQuery(HistoryQuery):
    """A history and the metric that is drawn. The URL may have other parameters, such as the theme."""

    model_config = ConfigDict(extra="ignore")

    metric: MetricName = DEFAULT_METRIC
    # Tables have pages of 100.
    limit: int = Field(default=100, ge=1, le=MAX_POINTS)


@router.get("/history")
async def history_page(request: Request, parts: Parts) -> HTMLResponse:
    """Without a series in the URL: which series there are."""
    if "prompt_set" in request.query_params:
        return await _one(request, parts, query_of(request, PageQuery))
    sets = await series_list(parts.history, SetsQuery())
    return page(
        request, "history/sets.html", series=[(item, series_url(item)) for item in sets.items], searched=sets.searched
    )


async def _one(request: Request, parts: Any, query: PageQuery) -> HTMLResponse:
    found = await history(parts.history, query)
    metric = metric_named(found, query.metric)
    pairs = request.query_params.multi_items()
    here = link(PATH)
    figure = history_figure(
        run_points(found, metric),
        title=f"{metric.title} over time",
        caption=caption_of(found, metric),
        y_title=f"{metric.title}, {unit_text(metric)}",
        y_text=axis_text(metric),
        csv_url=with_query(link(f"{PATH}/runs.csv"), pairs),
    )
    return page(
        request,
        "history/page.html",
        series=query,
        history=found,
        rows=rows_of(found, metric),
        metric=metric,
        metrics=[(item, with_query(here, pairs, metric=item.name)) for item in found.metrics],
        figure_shown=figure,
        unit_text=unit_text,
        value_text=value_text,
        all_url=here,
        board_url=link("/ui/leaderboard") + "?" + urlencode({"prompt_set": query.prompt_set}),
        older_url=found.next_cursor and with_query(here, pairs, cursor=found.next_cursor),
        newest_url=with_query(here, pairs, cursor=None) if query.cursor else None,
    )


@router.get("/history/runs.csv")
async def runs_csv(query: Annotated[PageQuery, Query()], parts: Parts) -> Response:
    """The points of the chart, oldest first."""
    found = await history(parts.history, query)
    names = ["benchmark_id", "started_at", query.metric, "ci95_low", "ci95_high", "count", "grade", "change"]
    rows: list[list[Any]] = []
    for point in found.points:
        reading = point.metrics[query.metric]
        low, high = reading.interval or (None, None)
        change = point.changes[query.metric].verdict
        started_at = point.started_at.isoformat().replace("+00:00", "Z")
        rows.append([point.id, started_at, reading.value, low, high, reading.count, point.grade, change])
    headers = {"Content-Disposition": f'attachment; filename="history-{query.metric}.csv"'}
    return Response(small_table(names, rows), media_type=MEDIA_TYPE, headers=headers)


def series_url(series: RunSeries, metric: MetricOut | None = None) -> str:
    """The page of a series."""
    query = {"model": series.model, "provider": series.provider, "prompt_set": series.prompt_set}
    return link(PATH) + "?" + urlencode(query | ({} if metric is None else {"metric": metric.name}))
