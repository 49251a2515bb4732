"""Workers that report to the database, and the endpoints that they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.owner import DEFAULT_OWNER
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.types import utc_now
from shared.db.tables.workers import Worker
from shared.errors import Conflict
from shared.providers.identity import HeldEndpoint

# A row is deleted after this long without a heartbeat: its worker is gone.
FORGET_AFTER_S = 24 * 3600
# A worker of an older version counts for so long after its last heartbeat.
OLD_WORKER_S = 120.0


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What a worker reports about itself."""

    id: str
    hostname: str
    pid: int
    version: str
    endpoints: tuple[HeldEndpoint, ...]
    calibration: dict[str, Any] | None = None

    @property
    def providers(self) -> tuple[str, ...]:
        """The names of the endpoints that it can use."""
        return tuple(item.identity.name for item in self.endpoints if item.usable)


def reported_within(seconds: float) -> ColumnElement[bool]:
    """The condition for a living worker: its last heartbeat is at most `seconds` old by database time."""
    return Worker.heartbeat_at >= utc_now(-seconds)


@tries_again
class WorkerRepository:
    """Rows of `workers`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def heartbeat(self, info: WorkerInfo, running: int) -> None:
        """Reports that the worker lives. The first heartbeat registers it and deletes workers unseen for a day."""
        async with self._database.write() as session:
            known = await session.execute(
                update(Worker)
                .where(Worker.id == info.id)
                .values(
                    heartbeat_at=utc_now(),
                    running=running,
                    providers=list(info.providers),
                    endpoints=[item.document() for item in info.endpoints],
                )
            )
            if not known.rowcount:  # type: ignore[attr-defined]
                await session.execute(delete(Worker).where(Worker.heartbeat_at < utc_now(-FORGET_AFTER_S)))
                await session.execute(
                    insert(Worker).values(
                        id=info.id,
                        hostname=info.hostname,
                        pid=info.pid,
                        version=info.version,
                        providers=list(info.providers),
                        endpoints=[item.document() for item in info.endpoints],
                        running=running,
                        calibration=info.calibration,
                        started_at=utc_now(),
                        heartbeat_at=utc_now(),
                    )
                )

    async def leave(self, worker_id: str) -> None:
        """Deletes the row of a worker that ends in good order."""
        async with self._database.write() as session:
            await session.execute(delete(Worker).where(Worker.id == worker_id))

    async def alive(self, *, within_s: float) -> Sequence[Worker]:
        """Workers that reported within the last `within_s` seconds, oldest first."""
        query = select(Worker).where(reported_within(within_s)).order_by(Worker.started_at, Worker.id)
        async with self._database.read() as session:
            return (await session.scalars(query)).all()

    async def all(self) -> Sequence[tuple[Worker, float]]:
        """Workers of the last day, newest first, each with the seconds since its heartbeat by database time."""
        query = select(Worker, utc_now()).order_by(Worker.started_at.desc(), Worker.id)
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        return [(worker, (now - worker.heartbeat_at).total_seconds()) for worker, now in rows]

    async def providers(self) -> set[str]:
        """Endpoints that a worker of the last day could use, so that a worker which restarts still counts."""
        async with self._database.read() as session:
            rows = await session.scalars(select(Worker.providers))
        return {name for names in rows for name in names}


async def refuse_old_workers(session: AsyncSession) -> None:
    """For the transaction that stores a benchmark of an owner other than `default`.

    A worker of a version that knows no owners tells every webhook of each benchmark that it ends, and it may end any
    that is cancelled while its own worker is gone. None can start once the schema knows owners. Raises Conflict.
    """
    query = select(Worker.id, Worker.endpoints).where(reported_within(OLD_WORKER_S)).order_by(Worker.id)
    rows = (await session.execute(query)).all()
    old = [row.id for row in rows if not row.endpoints or not all(item.get("owned") for item in row.endpoints)]
    if old:
        raise Conflict(
            f"worker {', '.join(old)} is of a version that knows no owners: only benchmarks of the owner "
            f"{DEFAULT_OWNER!r} are taken until it is replaced"
        )
