"""Tells failures of the database or its connection from failures that a statement itself causes. For `Database`."""

import os
import socket
import sqlite3

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    PendingRollbackError,
    ProgrammingError,
    ResourceClosedError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import Unavailable

# SQLSTATEs and classes of them. Connection, log-in, no such database, no resources, operator's intervention (start,
# shutdown), system error; a session that idled too long; a server that became a standby.
CANNOT_SERVE = ("08", "28", "3D", "53", "57", "58", "25P03", "25006")
# Serialization failure, deadlock, `lock_timeout`: the same transaction can succeed if it runs again.
CONFLICT = ("40001", "40P01", "55P03")
# Without a SQLSTATE, errors of these classes come from the statement and not from the connection.
OF_THE_STATEMENT = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
# Only a TimeoutError says nothing.
NO_TEXT = "no answer in time"


class Conflicted(Unavailable):
    """The transaction met another one and was rolled back. Repositories run it again (`shared.db.connection.again`)."""


def of_the_database(exc: BaseException, *, closed: bool) -> Unavailable | None:
    """What the failure means for callers: Unavailable, Conflicted, or None if the statement itself caused it.

    `closed`: the connection has been lost, or there was none yet.
    """
    if isinstance(exc, DBAPIError):
        driver = exc.orig.__cause__ if exc.orig is not None else None
        state = str(getattr(exc.orig, "sqlstate", None) or getattr(driver, "sqlstate", None) or "")
        # A migration has changed the table. SQLAlchemy forgets its prepared statements then.
        stale = type(driver).__name__ == "InvalidCachedStatementError"
        if stale or state.startswith(CONFLICT):
            return _failure(Conflicted, "the database refused a transaction", exc)
        if not closed and not exc.connection_invalidated and not _cannot_serve(exc, driver, state):
            return None
    elif isinstance(exc, SQLAlchemyError):
        # After a lost connection, SQLAlchemy says in these ways that it has none.
        if not isinstance(exc, (PoolTimeout, PendingRollbackError, ResourceClosedError)):
            return None
    elif not closed and not isinstance(exc, (OSError, EOFError, TimeoutError)):
        return None
    return _failure(Unavailable, "the database does not answer", exc)


def _cannot_serve(exc: DBAPIError, driver: BaseException | None, state: str) -> bool:
    if state:
        return state.startswith(CANNOT_SERVE)
    # asyncpg's errors of its own ("another operation is in progress", "cannot switch to state") are about the
    # connection, except for an argument of the wrong type. SQLite's are about the file: locked, full, broken.
    return not isinstance(exc, OF_THE_STATEMENT) and not isinstance(driver, (ValueError, TypeError))


def _failure(kind: type[Unavailable], message: str, exc: BaseException) -> Unavailable:
    cause: BaseException = exc
    if isinstance(exc, DBAPIError) and exc.orig is not None:
        # asyncpg's own error. SQLite's stands in `orig` itself.
        cause = exc.orig.__cause__ or exc.orig
    return kind(f"{message}: {_without_names(cause)}", reason=f"{message}: {_reason(cause)}")


def _without_names(cause: BaseException) -> str:
    """The class of the failure, and what can be said of it without the names of hosts, users and databases.

    PostgreSQL's text may have such names, and that of an OSError the address. That of SQLite and of the pool has none.
    """
    if isinstance(cause, (sqlite3.Error, PoolTimeout)) or not str(cause):
        return _reason(cause)
    state = getattr(cause, "sqlstate", None)
    if state:
        return f"{type(cause).__name__} ({state})"
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return f"{type(cause).__name__}: {os.strerror(cause.errno)}"
    if isinstance(cause, socket.gaierror):
        return f"{type(cause).__name__}: {cause.strerror}"
    return type(cause).__name__


def _reason(cause: BaseException) -> str:
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else NO_TEXT}"[:200]
