"""A PostgreSQL database that many tests use, one after the other. Each finds it empty."""

import asyncio
from types import TracebackType

import asyncpg

from shared.db.tables.all_tables import METADATA

# What one test may leave behind: sessions of programs that it killed, and rows.
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_TRUNCATE = f"TRUNCATE {', '.join(METADATA.tables)} RESTART IDENTITY CASCADE"
# TRUNCATE makes new files for all tables and indexes: 13 ms of processor time, where deleting a few rows takes 1 ms.
_DELETE = "; ".join(f"DELETE FROM {table.name}" for table in reversed(METADATA.sorted_tables))
_RESTART = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
# Deleted rows stay in the files, and what is known of a table stays in the planner: then it is truncated.
_MANY_BYTES = 262_144
_NEEDS_TRUNCATE = (
    f"SELECT bool_or(reltuples > 0 OR pg_table_size(oid) > {_MANY_BYTES}) "
    "FROM pg_class WHERE relkind = 'r' AND relname <> 'alembic_version' AND relnamespace = 'public'::regnamespace"
)
# The migration makes this row.
_OWNER = "INSERT INTO owners (name, turn, created_at) VALUES ('default', 0, now())"


class SharedDatabase:
    """Empties the database over a connection of its own, in a loop of its own: fixtures without a loop call it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection | None = None

    def __enter__(self) -> "SharedDatabase":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._runner.close()

    def empty(self) -> None:
        """Ends the sessions of others, then deletes all rows but that of the default owner; ids begin at 1 again."""
        self._runner.run(self._empty())

    async def _empty(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self.url)
        await self._connection.execute(_END_OTHERS)
        if await self._connection.fetchval(_NEEDS_TRUNCATE):
            await self._connection.execute(_TRUNCATE)
        else:
            await self._connection.execute(_DELETE)
            await self._connection.execute(_RESTART)
        await self._connection.execute(_OWNER)
