"""Waits until one transaction is held up by another."""

import asyncio

from sqlalchemy import text

from shared.db.connection.database import Database
from tests.support.waiting import PATIENCE_S


async def until_one_waits(database: Database) -> None:
    """Until a transaction of this PostgreSQL database waits for another one's lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with database.read() as session:
                if await session.scalar(waiting):
                    return
