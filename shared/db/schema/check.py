"""Checks that a database has the schema that this program needs, at each start and at every `GET /ready`."""

from sqlalchemy import Connection, inspect, text

from shared.db.connection.database import Database
from shared.db.schema.revision import head
from shared.errors import Unavailable


async def check_schema(database: Database) -> None:
    """Raises Unavailable if the schema is not the one that this program needs."""
    async with database.read() as session:
        found = await session.run_sync(lambda sync: _current(sync.connection()))
    if found is not None and found > head():
        raise newer(found)
    if found != head():
        raise Unavailable(
            f"the database schema is at revision {found or 'none'}, this version needs {head()}: run `llmbench migrate`"
        )


def newer(found: str) -> Unavailable:
    """The error for a database that a later version has migrated."""
    return Unavailable(
        f"the database schema is at revision {found}, which is newer than this version ({head()}): "
        "run the version that migrated it"
    )


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
