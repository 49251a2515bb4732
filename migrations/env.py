"""Alembic's entry point. It takes the URL from the caller (`shared.db.schema.migrate`) or from the settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from alembic import context
from sqlalchemy import Connection, event, pool
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.connection.engine import SQLITE_BUSY_MS, async_url, make_engine
from shared.db.tables.all_tables import METADATA
from shared.settings import load_settings

# The number of the advisory lock that a migration takes on PostgreSQL. Any number that nothing else uses.
LOCK = 7_423_586_201
ASK_EVERY_S = 0.2


def _run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        # SQLite changes a table by copying it.
        render_as_batch=sqlite,
        compare_type=True,
        compare_server_default=True,
        # SQLite can roll back changes of the schema; Alembic assumes that it cannot. All revisions are one transaction
        # there: a second program waits for it, and then finds nothing left to do.
        transactional_ddl=True,
        transaction_per_migration=not sqlite,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_run(url: str) -> None:
    # As if there were a pooler in transaction mode: a migration gains nothing from what such a pooler breaks.
    engine = make_engine(url, poolclass=pool.NullPool, transaction_pooling=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    async with _alone(engine), engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """Lets one program at a time migrate a PostgreSQL database. The others wait, and then find nothing left to do."""
    if engine.dialect.name == "sqlite":
        # The transaction of the migrations is the lock.
        yield
        return
    # The lock belongs to this transaction and not to a session: behind a pooler in transaction mode, a session would
    # keep it for the next client.
    async with engine.connect() as connection:
        # CREATE INDEX CONCURRENTLY waits for the end of every transaction that has a snapshot when it looks. So each
        # try has a transaction of its own: one that waited here for the lock might be waited for.
        while not (await connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({LOCK})")).scalar_one():
            await connection.rollback()
            await asyncio.sleep(ASK_EVERY_S)
        # A SELECT keeps its snapshot until the session's next statement. SET has none.
        await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield
        await connection.commit()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself, because it begins none before a change of the schema.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
    # The file keeps this mode. Programs that start together and each set it can fail: "database is locked".
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _database_url() -> str:
    given = context.config.attributes.get("database_url")
    return given if isinstance(given, str) else load_settings().database_url


if context.is_offline_mode():
    context.configure(url=str(async_url(_database_url())), target_metadata=METADATA, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(_connect_and_run(_database_url()))
