"""`/ui/leaderboard`: which model is best by one number, on the same prompts and under the same load?"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict

from api.access.needs import needs
from api.http.proxy import link
from api.pages.queries import query_of
from api.pages.routes.history import series_url
from api.pages.site import page
from api.pages.urls import with_query
from api.pages.words.history import setting_text, unit_text, value_text
from api.present.history import leaderboard, metrics_out, series_list
from api.schemas.history import BoardQuery, RunSeries, SetsQuery
from api.state import Parts

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

PATH = "/ui/leaderboard"


class PageQuery(BoardQuery):
    """The URL may have other parameters, such as the theme."""

    model_config = ConfigDict(extra="ignore")


@dataclass(frozen=True, slots=True)
class SetRow:
    """A prompt set in the chooser. `name`: of its newest run."""

    name: str
    models: int
    runs: int
    newest: RunSeries
    url: str


@router.get("/leaderboard")
async def leaderboard_page(request: Request, parts: Parts) -> HTMLResponse:
    """Without a prompt set in the URL: which there are."""
    if "prompt_set" not in request.query_params:
        return await _sets(request, parts)
    query = query_of(request, PageQuery)
    board = await leaderboard(parts.history, query)
    pairs = request.query_params.multi_items()
    here = link(PATH)
    return page(
        request,
        "leaderboard/page.html",
        board=board,
        columns=[(metric, with_query(here, pairs, metric=metric.name)) for metric in metrics_out()],
        like_urls={item.id: with_query(here, pairs, like=str(item.id)) for item in board.apart},
        usual_url=with_query(here, pairs, like=None) if query.like is not None else None,
        history_urls={
            item.id: link("/ui/history") + "?" + urlencode(
                {"model": item.model, "provider": item.provider, "prompt_set": query.prompt_set, "metric": query.metric}
            )
            for item in (*board.rows, *board.apart)
        },
        unit_text=unit_text,
        value_text=value_text,
        setting_text=setting_text,
        prompt_set=query.prompt_set,
        all_url=here,
    )  # fmt: skip


async def _sets(request: Request, parts: Any) -> HTMLResponse:
    found = await series_list(parts.history, SetsQuery(limit=500))
    by_set: dict[str, list[RunSeries]] = {}
    for series in found.items:
        by_set.setdefault(series.prompt_set, []).append(series)
    rows = [
        SetRow(
            name=items[0].name,
            models=len(items),
            runs=sum(item.runs for item in items),
            newest=items[0],
            url=link(PATH) + "?" + urlencode({"prompt_set": prompt_set}),
        )
        for prompt_set, items in by_set.items()
    ]
    # A board of one model ranks nothing, so sets with several come first.
    rows.sort(key=lambda row: row.models < 2)
    return page(request, "leaderboard/sets.html", rows=rows, searched=found.searched, series_url=series_url)
