"""What a transaction does if its statement hangs, and which failures mean that the database is away."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection, AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, PendingRollbackError, ProgrammingError

from shared.db.connection.database import Database
from shared.db.connection.failures import Conflicted, of_the_database
from shared.db.connection.transaction import PATIENCE_S
from shared.errors import Unavailable
from tests.shared.db.rows import Tables
from tests.support.waiting import PATIENCE_S as LONG_S

_ADAPTED = AsyncAdapt_asyncpg_dbapi(asyncpg)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_cancelled_caller_does_not_wait_for_a_statement_that_hangs(database: Database, tables: Tables) -> None:
    async def hang() -> None:
        async with database.write() as session:
            await session.execute(text("SELECT pg_sleep(600)"))

    await _cancelled_in_time(hang())
    assert (await tables.benchmarks.get(await tables.add())).status == "pending"
    await database.close()
    assert database.connections() == (0, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_cancelled_caller_does_not_wait_for_another_programs_lock(database: Database, tables: Tables) -> None:
    await tables.add()
    with closing(sqlite3.connect(str(database.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await _cancelled_in_time(tables.add())
        other.execute("ROLLBACK")
    # What was cancelled gets the lock now and gives it back, and the next one follows.
    async with asyncio.timeout(LONG_S):
        assert await tables.add() == 2


async def _cancelled_in_time(operation: Any) -> None:
    task = asyncio.create_task(operation)
    await asyncio.wait([task], timeout=0.3)
    begin = asyncio.get_running_loop().time()
    task.cancel()
    await asyncio.wait([task], timeout=LONG_S)
    assert task.cancelled()
    # On a busy machine a loop may be late, but not for ten seconds.
    assert asyncio.get_running_loop().time() - begin < PATIENCE_S + 10


def adapted(exc: Exception) -> BaseException:
    """As SQLAlchemy raises what asyncpg raised."""
    try:
        AsyncAdapt_asyncpg_connection._handle_exception_no_connection(_ADAPTED, exc)
    except _ADAPTED.Error as orig:
        return DBAPIError.instance("SELECT 1", {}, orig, _ADAPTED.Error)
    raise AssertionError("that is not asyncpg's")


AWAY = [
    adapted(asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")),
    adapted(asyncpg.InterfaceError("cannot perform operation: another operation is in progress")),
    adapted(asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")),
    adapted(asyncpg.AdminShutdownError("terminating connection due to administrator command")),
    adapted(asyncpg.IdleInTransactionSessionTimeoutError("terminating connection")),
    adapted(asyncpg.ReadOnlySQLTransactionError("cannot execute UPDATE in a read-only transaction")),
    adapted(asyncpg.TooManyConnectionsError("sorry, too many clients already")),
    PendingRollbackError("Can't reconnect until invalid transaction is rolled back."),
    ConnectionResetError("reset"),
    TimeoutError(),
    EOFError(),
]
CONFLICTS = [
    adapted(asyncpg.DeadlockDetectedError("deadlock detected")),
    adapted(asyncpg.SerializationError("could not serialize access")),
    adapted(asyncpg.LockNotAvailableError("canceling statement due to lock timeout")),
    adapted(asyncpg.InvalidCachedStatementError("cached statement plan is invalid")),
]
OF_THE_STATEMENT = [
    adapted(asyncpg.UniqueViolationError("duplicate key")),
    adapted(asyncpg.UndefinedColumnError("no such column")),
    adapted(asyncpg.DataError("value out of int64 range")),
    adapted(asyncpg.NumericValueOutOfRangeError("out of range")),
    ProgrammingError("SELECT ?", {}, sqlite3.ProgrammingError("Incorrect number of bindings supplied")),
    ValueError("a bug"),
]


@pytest.mark.parametrize("failure", AWAY, ids=repr)
def test_the_database_is_away(failure: BaseException) -> None:
    assert type(of_the_database(failure, closed=False)) is Unavailable


@pytest.mark.parametrize("failure", CONFLICTS, ids=repr)
def test_another_transaction_was_in_the_way(failure: BaseException) -> None:
    assert type(of_the_database(failure, closed=False)) is Conflicted


@pytest.mark.parametrize("failure", OF_THE_STATEMENT, ids=repr)
def test_the_statement_itself_failed_unless_its_connection_is_lost(failure: BaseException) -> None:
    assert of_the_database(failure, closed=False) is None
    assert type(of_the_database(failure, closed=True)) is Unavailable


async def test_a_session_ends_with_its_transaction(database: Database) -> None:
    async with database.read() as session:
        assert await session.scalar(text("SELECT 1")) == 1
    with pytest.raises(RuntimeError, match="has ended"):
        await session.scalar(text("SELECT 1"))
