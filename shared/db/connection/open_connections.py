"""Warns if the programs may open more connections than PostgreSQL allows. A worker calls it when it starts."""

import structlog
from sqlalchemy import func, select, text

from shared.db.connection.database import Database
from shared.db.tables.workers import Worker
from shared.db.workers.repository import reported_within
from shared.errors import Unavailable

log = structlog.get_logger(__name__)


async def warn_of_too_many_connections(database: Database, *, pool_size: int, alive_within_s: float) -> None:
    """Counts the living workers and one API, each with a full pool. `alive_within_s`: as `WorkerRepository.alive`."""
    if database.is_sqlite:
        return
    alive = select(func.count()).select_from(Worker).where(reported_within(alive_within_s))
    try:
        async with database.read() as session:
            limit = int((await session.execute(text("SHOW max_connections"))).scalar_one())
            reserved = int((await session.execute(text("SHOW superuser_reserved_connections"))).scalar_one())
            workers = (await session.execute(alive)).scalar_one()
    except Unavailable:
        return
    needed = (workers + 1) * pool_size
    if needed > limit - reserved:
        log.warning(
            "too_many_database_connections",
            workers=workers,
            may_open=needed,
            server_allows=limit - reserved,
            advice="lower DATABASE_POOL_SIZE, raise max_connections, or put PgBouncer in front",
        )
