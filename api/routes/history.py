"""`/history` and `/leaderboard`: runs of one prompt set over time, and of several models."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.access.needs import needs
from api.present.history import history, leaderboard, series_list
from api.routes.benchmarks import INVALID
from api.schemas.history import BoardOut, BoardQuery, HistoryOut, HistoryQuery, RunSeriesList, SetsQuery
from api.state import Parts

router = APIRouter(tags=["history"], dependencies=[needs("read")])


@router.get(
    "/history/sets", operation_id="listSeries", summary="List models, endpoints and prompt sets that have runs",
    responses=INVALID,
)  # fmt: skip
async def list_series(query: Annotated[SetsQuery, Query()], parts: Parts) -> RunSeriesList:
    """What `GET /history` can be asked for: models at endpoints with prompt sets, with how many completed runs."""
    return await series_list(parts.history, query)


@router.get("/history", operation_id="getHistory", summary="Read the history of a model", responses=INVALID)
async def read_history(query: Annotated[HistoryQuery, Query()], parts: Parts) -> HistoryOut:
    """The completed runs of one model at one endpoint with one prompt set: a point each, with its numbers, whether they
    have changed, and in what its settings differ from those of the newest run.

    A number counts as changed only if intervals support it, against earlier runs with the same settings. Nothing is
    computed from results: the numbers and intervals are those of the summaries.
    """
    return await history(parts.history, query)


@router.get("/leaderboard", operation_id="getLeaderboard", summary="Rank models by one number", responses=INVALID)
async def read_leaderboard(query: Annotated[BoardQuery, Query()], parts: Parts) -> BoardOut:
    """The latest completed run of each model at each endpoint with one prompt set, all with the same load and
    parameters. Runs with others stand apart, with what differs. `GET /compare` says how sure a difference is.
    """
    return await leaderboard(parts.history, query)
