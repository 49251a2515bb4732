"""Completed runs of prompt sets, for histories and leaderboards. Reads benchmarks, never results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from shared.access.caller import Caller
from shared.benchmark.history.metrics import PARTS
from shared.benchmark.history.run import Run
from shared.benchmark.status import Status
from shared.db.access.owned import few_ids
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import light_spec, unindexed

# So many of the newest completed runs are looked at for the series that there are.
RUNS_SEARCHED = 2_000

_COMPLETED: Status = "completed"


@dataclass(frozen=True, slots=True)
class Series:
    """The completed runs of a prompt set with a model at an endpoint. `name`: of the newest one."""

    prompt_set: str
    model: str
    provider: str
    runs: int
    newest_id: int
    name: str
    first_started_at: datetime
    newest_started_at: datetime


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first. `next`: below which id the next page begins; None on the last one."""

    runs: Sequence[Run]
    next: int | None


@tries_again
class HistoryRepository:
    """Series of runs, and their runs."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def series(
        self, *, model: str | None = None, provider: str | None = None, prompt_set: str | None = None, limit: int
    ) -> list[Series]:
        """The series of the newest RUNS_SEARCHED completed runs that pass the filters, the newest series first."""
        async with self._database.read() as session:
            filters = {"status": _COMPLETED, "model": model, "provider": provider, "prompt_set": prompt_set}
            few = await few_ids(session, self._caller)
            chosen = self._chosen(select(Benchmark.id), filters, few)
            newest = chosen.order_by(Benchmark.id.desc()).limit(RUNS_SEARCHED).subquery()
            lowest = select(func.min(newest.c.id)).scalar_subquery()
            counted = select(
                func.count().label("runs"),
                func.max(Benchmark.id).label("newest_id"),
                func.min(Benchmark.started_at).label("first"),
            ).where(Benchmark.id >= lowest, Benchmark.prompt_set.is_not(None))
            found = (
                self._chosen(counted, filters, few)
                .group_by(Benchmark.prompt_set, Benchmark.model, Benchmark.provider)
                .order_by(func.max(Benchmark.id).desc())
                .limit(limit)
                .subquery()
            )
            last = aliased(Benchmark)
            query = (
                select(
                    last.prompt_set,
                    last.model,
                    last.provider,
                    found.c.runs,
                    found.c.newest_id,
                    last.name,
                    found.c.first,
                    last.started_at,
                )
                .join(found, last.id == found.c.newest_id)
                .order_by(found.c.newest_id.desc())
            )
            return [Series(*row) for row in await session.execute(query)]

    async def runs(
        self,
        prompt_set: str,
        *,
        model: str | None = None,
        provider: str | None = None,
        before: int | None = None,
        limit: int,
    ) -> RunPage:
        """Completed runs of the prompt set with ids below `before`."""
        own = () if self._caller.sees_all else (unindexed(Benchmark.owner) == self._caller.owner,)
        ids = select(Benchmark.id).where(Benchmark.prompt_set == prompt_set, Benchmark.status == _COMPLETED, *own)
        if model is not None:
            ids = ids.where(Benchmark.model == model)
        if provider is not None:
            ids = ids.where(Benchmark.provider == provider)
        if before is not None:
            ids = ids.where(Benchmark.id < before)
        query = _COLUMNS.where(Benchmark.id.in_(ids.order_by(Benchmark.id.desc()).limit(limit + 1)))
        async with self._database.read() as session:
            rows = (await session.execute(query.order_by(Benchmark.id.desc()))).all()
        runs = [_run(row) for row in rows[:limit]]
        return RunPage(runs, runs[-1].id if len(rows) > limit else None)

    def _chosen(self, query: Any, filters: Mapping[str, str | None], few: Sequence[int] | None) -> Any:
        """Those with these values in columns that the caller may see, by the index that leaves the least to read.

        `few`: see `few_ids`.
        """
        equal = {getattr(Benchmark, name): value for name, value in filters.items() if value is not None}
        if few is not None:
            return query.where(Benchmark.id.in_(few), *(unindexed(column) == value for column, value in equal.items()))
        query = query.where(*(column == value for column, value in equal.items()))
        return query if self._caller.sees_all else query.where(unindexed(Benchmark.owner) == self._caller.owner)


_COLUMNS = select(
    Benchmark.id,
    Benchmark.name,
    Benchmark.model,
    Benchmark.provider,
    Benchmark.endpoint,
    func.coalesce(Benchmark.started_at, Benchmark.created_at).label("started_at"),
    Benchmark.texts_deleted_at.is_(None).label("has_texts"),
    light_spec(Benchmark.spec_document).label("spec"),
    Benchmark.summary[("measurement", "grade")].as_string().label("grade"),
    *(Benchmark.summary[part].label(part) for part in PARTS),
)


def _run(row: Any) -> Run:
    values = row._mapping
    return Run(
        **{name: values[name] for name in ("id", "name", "model", "provider", "endpoint", "started_at", "grade")},
        has_texts=bool(row.has_texts),
        spec=row.spec,
        summary={part: values[part] for part in PARTS},
    )
