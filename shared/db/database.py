"""Connections to the one database, PostgreSQL or SQLite, and transactions on it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

import structlog
from sqlalchemy import event, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.pool import QueuePool

from shared.db.engine import is_sqlite, make_engine
from shared.db.postgresql_url import ignored_parameters
from shared.errors import Unavailable

log = structlog.get_logger(__name__)

# How long a SQLite writer waits for another process's transaction; transactions here take milliseconds.
SQLITE_BUSY_MS = 30_000
# Prepared statements that a connection keeps.
SQLITE_STATEMENTS = 24
# SQLSTATE classes: connection, log-in, no such database, no resources, operator's intervention (start, shutdown).
CANNOT_SERVE = ("08", "28", "3D", "53", "57")


def warn_of_ignored_parameters(url: str) -> None:
    """For a program's start: one line with the URL's parameters that have no effect."""
    ignored = ignored_parameters(url)
    if ignored:
        log.warning("database_url_parameters_ignored", parameters=list(ignored))


class Database:
    """An engine with `read()` and `write()` transactions. No transaction is held across a network call."""

    def __init__(self, url: str, *, pool_size: int = 10, transaction_pooling: bool = False) -> None:
        """`transaction_pooling`: see `make_engine`."""
        self.is_sqlite = is_sqlite(url)
        # The dialect's own INSERT, which knows ON CONFLICT.
        self.insert = sqlite_insert if self.is_sqlite else postgresql_insert
        options: dict[str, Any] = {
            "pool_size": pool_size,
            "max_overflow": 0,
            "pool_timeout": 10,
            # Errors would quote the statement's values: prompts and answers.
            "hide_parameters": True,
        }
        if self.is_sqlite:
            # An INSERT of many rows is another statement for each number of rows, of about 300 kB.
            options |= {"connect_args": {"cached_statements": SQLITE_STATEMENTS}}
        else:
            options |= {"pool_pre_ping": True, "connect_args": {"command_timeout": 60}}
        self.engine: AsyncEngine = make_engine(url, transaction_pooling=transaction_pooling, **options)
        # All statements of one read see the database at the same moment, as they do in SQLite.
        self._reading = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )
        # SQLite has one writer at a time. The lock lets writers in by their order; SQLite's own busy wait does not.
        self._writer: asyncio.Lock | nullcontext[None] = asyncio.Lock() if self.is_sqlite else nullcontext()
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A consistent view. Never blocks a writer, never waits for one. Raises Unavailable without the database."""
        with _unavailable_where_it_does_not_answer():
            async with AsyncSession(self._reading, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction that commits at the end or rolls back on an error. Raises Unavailable without the database."""
        with _unavailable_where_it_does_not_answer():
            async with self._writer, self.engine.connect() as plain:
                connection = await plain.execution_options(sqlite_begin="IMMEDIATE")
                async with AsyncSession(connection, expire_on_commit=False) as session, session.begin():
                    yield session

    def connections(self) -> tuple[int, int]:
        """(in use, idle): counts of the connections in this process's pool."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return 0, 0
        return pool.checkedout(), pool.checkedin()

    async def check(self) -> None:
        """Raises Unavailable, with the reason in words, if the database does not answer within 2 s."""
        with _unavailable_where_it_does_not_answer():
            async with asyncio.timeout(2), self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


@contextmanager
def _unavailable_where_it_does_not_answer() -> Iterator[None]:
    """Turns connection failures into Unavailable. Errors of the statements themselves pass unchanged."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError, TimeoutError) as exc:
        if isinstance(exc, DBAPIError) and not _cannot_serve(exc):
            raise
        raise Unavailable(f"the database does not answer: {_reason(exc)}") from exc


def _cannot_serve(exc: DBAPIError) -> bool:
    # asyncpg has no error class for a server that is starting, is full, lets nobody in or does not have the database.
    state = str(getattr(exc.orig, "sqlstate", None))
    # SQLite raises a plain DatabaseError if the file is broken or is not a database.
    return type(exc) in (OperationalError, InterfaceError, DatabaseError) or state.startswith(CANNOT_SERVE)


def _reason(exc: BaseException) -> str:
    cause = exc.orig if isinstance(exc, DBAPIError) and exc.orig is not None else exc
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else 'no answer in time'}"[:200]


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={SQLITE_BUSY_MS}",
        "journal_mode=WAL",
        "foreign_keys=ON",
        # FULL: a benchmark that was accepted with 202 is on the disk, even after a power cut.
        "synchronous=FULL",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # IMMEDIATE takes the write lock at the start: a deferred transaction that begins to write can fail with "locked".
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
