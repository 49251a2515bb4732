"""How much work waits in the database, for dashboards, alerts and autoscalers."""

from dataclasses import dataclass

from sqlalchemy import func, select

from shared.db.connection.again import tries_again
from shared.db.connection.clock import read_now
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark, is_open
from shared.db.tables.types import as_constant, utc_now
from shared.db.tables.webhooks import WebhookDelivery, is_waiting
from shared.db.tables.workers import Worker
from shared.db.workers.repository import reported_within


@dataclass(frozen=True, slots=True)
class Backlog:
    """Counts, and the age in s of the oldest pending benchmark (0 if there is none)."""

    pending: int
    running: int
    oldest_pending_s: float
    workers_alive: int
    deliveries_due: int


@tries_again
class MonitoringRepository:
    """Counts open benchmarks and deliveries, and living workers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def backlog(self, *, alive_within_s: float) -> Backlog:
        """All counts of the same moment. `alive_within_s`: how old the last heartbeat of a living worker may be."""
        counts = select(Benchmark.status, func.count(), func.min(Benchmark.created_at)).where(is_open())
        due = (
            select(func.count())
            .select_from(WebhookDelivery)
            .where(is_waiting(), WebhookDelivery.next_attempt_at <= as_constant(utc_now()))
        )
        alive = select(func.count()).select_from(Worker).where(reported_within(alive_within_s))
        async with self._database.read() as session:
            found = {row[0]: (row[1], row[2]) for row in await session.execute(counts.group_by(Benchmark.status))}
            now = await read_now(session)
            pending, oldest = found.get("pending", (0, None))
            return Backlog(
                pending=pending,
                running=found.get("running", (0, None))[0],
                oldest_pending_s=0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()),
                workers_alive=await session.scalar(alive) or 0,
                deliveries_due=await session.scalar(due) or 0,
            )
