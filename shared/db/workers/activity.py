"""What workers do now, and how exactly they measured last. The page of workers reads it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, select

from shared.access.caller import Caller
from shared.db.access.owned import of_owner
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark, Segment, is_open
from shared.db.tables.types import unindexed, utc_now

# The newest segments with a measurement, in which the last one of each worker is looked for.
SEGMENTS_READ = 200


@dataclass(frozen=True, slots=True)
class OpenBenchmark:
    """A benchmark that has not ended. `planned` 0: not known beforehand.

    `worker_id`: the worker that has it. `has_lapsed`: that worker has not reported in time, so another one takes it.
    `blocked`: why no worker can run it, in words; None if one can.
    """

    id: int
    name: str
    model: str
    provider: str
    status: str
    done: int
    planned: int
    created_at: datetime
    started_at: datetime | None
    worker_id: str | None
    has_lapsed: bool
    blocked: str | None
    blocked_since: datetime | None


@dataclass(frozen=True, slots=True)
class LastMeasurement:
    """Of the last benchmark, or part of one, that a worker ended. `document`: as the API's `measurement`.

    `benchmark_id`: None if the caller may not see it.
    """

    benchmark_id: int | None
    ended_at: datetime
    document: dict[str, Any]


@tries_again
class WorkerActivity:
    """Reads open benchmarks and ended segments."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def open_benchmarks(self, *, limit: int) -> tuple[Sequence[OpenBenchmark], int]:
        """(the oldest open benchmarks that the caller may see, how many there are of these in all)."""
        own = and_(is_open(), of_owner(self._caller, Benchmark.owner))
        columns = (
            *(getattr(Benchmark, name) for name in OpenBenchmark.__dataclass_fields__ if hasattr(Benchmark, name)),
            Benchmark.lease_owner,
            Benchmark.lease_expires_at,
            Benchmark.unclaimable,
            Benchmark.unclaimable_since,
            utc_now().label("now"),
        )
        query = select(*columns).where(own).order_by(Benchmark.id).limit(limit)
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
            total = await session.scalar(select(func.count()).select_from(Benchmark).where(own))
        return [_open(row) for row in rows], total or 0

    async def of_others(self) -> dict[str | None, int]:
        """How many open benchmarks there are that the caller may not see, by worker; None: they wait for one."""
        if self._caller.sees_all:
            return {}
        others = and_(is_open(), unindexed(Benchmark.owner) != self._caller.owner)
        query = select(Benchmark.lease_owner, func.count()).where(others).group_by(Benchmark.lease_owner)
        async with self._database.read() as session:
            return {row[0]: row[1] for row in await session.execute(query)}

    async def last_measurements(self, worker_ids: Collection[str]) -> dict[str, LastMeasurement]:
        """By worker. A worker that has measured nothing lately is not in it.

        How exactly a worker measures is no secret of the owner whose benchmark it ran; which one that was is.
        """
        if not worker_ids:
            return {}
        query = (
            select(
                Segment.worker_id,
                case((of_owner(self._caller, Benchmark.owner), Segment.benchmark_id)),
                Segment.ended_at,
                Segment.measurement,
            )
            .join(Benchmark, Benchmark.id == Segment.benchmark_id)
            .where(Segment.worker_id.in_(worker_ids), Segment.ended_at.is_not(None), Segment.measurement.is_not(None))
            # In the order of the primary key, so that only the newest are read.
            .order_by(Segment.benchmark_id.desc(), Segment.fence.desc())
            .limit(SEGMENTS_READ)
        )
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        found: dict[str, LastMeasurement] = {}
        for worker_id, benchmark_id, ended_at, document in sorted(rows, key=lambda row: row.ended_at, reverse=True):
            # Columns of JSON have two nulls.
            if document is not None:
                found.setdefault(worker_id, LastMeasurement(benchmark_id, ended_at, document))
        return found


def _open(row: Any) -> OpenBenchmark:
    blocked = row.unclaimable if row.status == "pending" or row.lease_owner is None else None
    values = {name: getattr(row, name) for name in OpenBenchmark.__dataclass_fields__ if hasattr(row, name)}
    return OpenBenchmark(
        **values,
        worker_id=row.lease_owner,
        has_lapsed=row.lease_expires_at is not None and row.lease_expires_at < row.now,
        blocked=None if blocked is None else str(blocked["message"]),
        blocked_since=None if blocked is None else row.unclaimable_since,
    )
