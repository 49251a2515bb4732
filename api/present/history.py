"""Histories and leaderboards as the API shows them. The routes of the API and the pages call it."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from api.lists.cursor import decode_cursor, encode_cursor
from api.schemas.history import (
    NOTE,
    ApartOut,
    BoardOut,
    BoardQuery,
    ChangeOut,
    HistoryOut,
    HistoryPointOut,
    HistoryQuery,
    MetricOut,
    RankedOut,
    ReadingOut,
    RunSeries,
    RunSeriesList,
    SetsQuery,
    SettingOut,
)
from shared.benchmark.history.board import board_of
from shared.benchmark.history.changes import Change, HistoryPoint, history_of
from shared.benchmark.history.metrics import METRICS, HistoryMetric, Reading
from shared.benchmark.history.run import Run
from shared.benchmark.history.settings import Difference
from shared.db.results.history import RUNS_SEARCHED, HistoryRepository, RunPage
from shared.errors import InvalidRequest

# Older runs that are read besides, for the changes of the oldest ones that are shown.
RUNS_BESIDES = 25
# The newest runs of a prompt set that a leaderboard looks at.
RUNS_RANKED = 1_000


async def series_list(repository: HistoryRepository, query: SetsQuery) -> RunSeriesList:
    found = await repository.series(
        model=query.model, provider=query.provider, prompt_set=query.prompt_set, limit=query.limit
    )
    return RunSeriesList(
        items=[RunSeries.model_validate(item, from_attributes=True) for item in found], searched=RUNS_SEARCHED
    )


async def history(repository: HistoryRepository, query: HistoryQuery) -> HistoryOut:
    """Raises InvalidRequest for a wrong cursor."""
    read = partial(repository.runs, query.prompt_set, model=query.model, provider=query.provider)
    before = None if query.cursor is None else decode_cursor(query.cursor, int)[0]
    found = await read(before=before, limit=query.limit + RUNS_BESIDES)
    newest = found.runs if before is None else (await read(limit=1)).runs
    # In a thread: hundreds of runs take a while.
    return await asyncio.to_thread(_history, found, newest[0] if newest else None, query.limit)


def _history(found: RunPage, newest: Run | None, limit: int) -> HistoryOut:
    shown = found.runs[:limit]
    points = history_of(found.runs, newest)
    ids = {run.id for run in shown}
    has_more = len(found.runs) > len(shown) or found.next is not None
    return HistoryOut(
        note=NOTE,
        metrics=metrics_out(),
        points=[_point(point) for point in points if point.run.id in ids],
        next_cursor=encode_cursor(shown[-1].id) if has_more else None,
    )


async def leaderboard(repository: HistoryRepository, query: BoardQuery) -> BoardOut:
    """Raises InvalidRequest if `like` is no run of the prompt set."""
    runs = (await repository.runs(query.prompt_set, limit=RUNS_RANKED)).runs
    like = None
    if query.like is not None:
        like = next((run for run in runs if run.id == query.like), None)
        if like is None:
            raise InvalidRequest.of(
                "like", f"benchmark {query.like} is no completed run of this prompt set", "no_such_run"
            )
    return await asyncio.to_thread(_board, runs, METRICS[query.metric], like)


def _board(runs: Sequence[Run], metric: HistoryMetric, like: Run | None) -> BoardOut:
    board = board_of(runs, metric, like)
    return BoardOut(
        note=NOTE,
        metric=metric_out(metric),
        like=None if board.like is None else board.like.id,
        rows=[
            RankedOut(rank=None if run.read(metric).value is None else place, **_run(run))
            for place, run in enumerate(board.rows, 1)
        ],
        apart=[ApartOut(differs=_settings(item.differs), **_run(item.run)) for item in board.apart],
        searched=RUNS_RANKED,
    )


def metrics_out() -> list[MetricOut]:
    """All numbers of a run, in the order of the registry."""
    return [metric_out(metric) for metric in METRICS.values()]


def metric_out(metric: HistoryMetric) -> MetricOut:
    return MetricOut.model_validate(metric, from_attributes=True)


def _point(point: HistoryPoint) -> HistoryPointOut:
    return HistoryPointOut.model_validate(
        {
            **_run(point.run),
            "differs": _settings(point.differs),
            "changes": {name: _change(change) for name, change in point.changes.items()},
        }
    )


def _run(run: Run) -> dict[str, Any]:
    return {
        **{name: getattr(run, name) for name in ("id", "name", "model", "provider", "started_at", "grade")},
        "metrics": {name: _reading(run.read(metric)) for name, metric in METRICS.items()},
    }


def _reading(reading: Reading) -> ReadingOut:
    return ReadingOut.model_validate(reading, from_attributes=True)


def _change(change: Change) -> ChangeOut:
    return ChangeOut(
        verdict=change.verdict,
        reason=change.reason,
        reference=change.reference,
        reference_interval=change.reference_interval,
        difference=change.difference,
        against=list(change.against),
    )


def _settings(differs: Sequence[Difference]) -> list[SettingOut]:
    return [SettingOut.model_validate(item, from_attributes=True) for item in differs]
