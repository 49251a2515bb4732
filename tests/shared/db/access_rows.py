"""Rows of API keys for tests, without the work of making real ones."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from shared.access.caller import Caller
from shared.access.scopes import Scope
from shared.clock import wall_now
from shared.db.connection.database import Database
from shared.db.tables.access import ApiKey, OwnerRow, Session
from shared.db.tables.types import utc_now

KEY_ID = "ab12cd34"


async def add_key(
    database: Database, key_id: str = KEY_ID, owner: str = "acme", scope: Scope = "run", **values: Any
) -> Caller:
    """A key, and the owner with it; the caller who uses it in a browser."""
    async with database.write() as session:
        insert = database.insert(OwnerRow).values(name=owner, created_at=utc_now())
        await session.execute(insert.on_conflict_do_nothing())
        row = {"name": "CI", "hash": "0" * 64, "hashed_with": "sha256", "created_at": wall_now(), **values}
        session.add(ApiKey(id=key_id, owner=owner, scope=scope, **row))
    return Caller(owner, scope, key_id, via="session")


async def change_key(database: Database, key_id: str = KEY_ID, **values: Any) -> None:
    async with database.write() as session:
        await session.execute(update(ApiKey).where(ApiKey.id == key_id).values(**values))


async def age_session(database: Database, hashed: str, by: timedelta) -> None:
    """As if everything had happened to it so much earlier."""
    async with database.write() as session:
        found = await session.get_one(Session, hashed)
        found.created_at -= by
        found.seen_at -= by
        found.expires_at -= by
