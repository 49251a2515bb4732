"""Connections to the one database, PostgreSQL or SQLite, and transactions on it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import structlog
from sqlalchemy import event, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.pool import QueuePool

from shared.db.connection.checkout import checked_out
from shared.db.connection.engine import SQLITE_BUSY_MS, is_sqlite, make_engine
from shared.db.connection.postgresql_url import ignored_parameters
from shared.db.connection.transaction import Transaction
from shared.db.connection.turns import Turns
from shared.errors import Unavailable

log = structlog.get_logger(__name__)

# Prepared statements that a connection keeps.
SQLITE_STATEMENTS = 24
# How long `close` waits for transactions whose callers have given up.
CLOSE_S = 5.0


def warn_of_ignored_parameters(url: str) -> None:
    """For a program's start: one line with the URL's parameters that have no effect."""
    ignored = ignored_parameters(url)
    if ignored:
        log.warning("database_url_parameters_ignored", parameters=list(ignored))


class Database:
    """An engine with `read()` and `write()` transactions. No transaction is held across a network call."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 4,
        transaction_pooling: bool = False,
        longest_idle_s: float | None = None,
    ) -> None:
        """`transaction_pooling`: see `make_engine`.

        `longest_idle_s`: PostgreSQL ends a session whose transaction waits so long for its next statement. For
        workers: what one has locked that hangs in a transaction, another could never take over. Not behind a pooler.
        """
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
            if longest_idle_s is not None and not transaction_pooling:
                options["server_settings"] = {"idle_in_transaction_session_timeout": str(round(longest_idle_s * 1e3))}
        self.engine: AsyncEngine = make_engine(url, transaction_pooling=transaction_pooling, **options)
        # All statements of one read see the database at the same moment, as they do in SQLite.
        self._reading = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )
        # BEGIN IMMEDIATE takes SQLite's write lock at the start: see `_begin_sqlite`.
        self._writing = self.engine.execution_options(sqlite_begin="IMMEDIATE") if self.is_sqlite else self.engine
        # SQLite has one writer at a time.
        self._turns = Turns(self.engine.url.database) if self.is_sqlite else None
        # Transactions whose callers have given up.
        self._ending: set[asyncio.Task[None]] = set()
        event.listen(self.engine.sync_engine, "checkout", _check_out)
        event.listen(self.engine.sync_engine, "checkin", _check_in)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
            event.listen(self.engine.sync_engine, "close", _roll_back_sqlite)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A consistent view. Never blocks a writer, never waits for one. Raises Unavailable without the database."""
        async with self._transaction(self._reading, nullcontext()) as transaction:
            yield transaction.session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction that commits at the end or rolls back on an error. Raises Unavailable without the database.

        If the caller is cancelled, the transaction rolls back at once; a commit that has begun ends. Raises Conflicted
        if another transaction was in the way: repositories run their methods again (`shared.db.connection.again`).
        """
        async with self._transaction(self._writing, self._turns or nullcontext()) as transaction:
            yield transaction.session
            await transaction.commit()

    @asynccontextmanager
    async def _transaction(
        self, engine: AsyncEngine, gate: AbstractAsyncContextManager[Any]
    ) -> AsyncIterator[Transaction]:
        transaction = Transaction(engine, gate)
        try:
            yield transaction
        finally:
            try:
                await transaction.end()
            finally:
                self._keep(transaction.task)

    def _keep(self, task: "asyncio.Task[None] | None") -> None:
        """Keeps the task of a transaction that has not ended, so that `close` can wait for it."""
        if task is not None and not task.done():
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def connections(self) -> tuple[int, int]:
        """(in use, idle): counts of the connections in this process's pool."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return 0, 0
        return pool.checkedout(), pool.checkedin()

    async def check(self) -> None:
        """Raises Unavailable, with the reason in words, if the database does not answer within 2 s."""
        try:
            async with asyncio.timeout(2), self.read() as session:
                await session.execute(text("SELECT 1"))
        except TimeoutError as exc:
            raise Unavailable("the database does not answer: no answer within 2 s") from exc

    async def close(self) -> None:
        """Closes the connections. The next transaction opens new ones."""
        if self._ending:
            await asyncio.wait(self._ending, timeout=CLOSE_S)
        await self.engine.dispose()
        if self._turns is not None:
            self._turns.close()


def _check_out(connection: Any, _record: Any, _proxy: Any) -> None:
    """Called by the pool, in the task of the transaction that gets the connection."""
    checkout = checked_out.get()
    if checkout is not None:
        checkout.take(connection.driver_connection)


def _check_in(connection: Any, _record: Any) -> None:
    """Called by the pool when it has the connection back, or None if that was lost."""
    checkout = checked_out.get()
    if checkout is not None and connection is not None:
        checkout.give(connection.driver_connection)


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


def _roll_back_sqlite(connection: Any, _record: Any) -> None:
    # A connection that is closed while a statement of it is still known keeps its transaction and the lock.
    with contextlib.suppress(SQLAlchemyError, sqlite3.Error, ValueError):
        connection.rollback()
