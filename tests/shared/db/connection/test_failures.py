"""What callers and logs are told of a database's failure."""

import socket
import sqlite3

import asyncpg
import pytest
from sqlalchemy.exc import DatabaseError, InterfaceError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.db.connection.failures import of_the_database

REFUSED = "[Errno 111] Connect call failed ('10.0.0.3', 5432)"


def of_the_driver(failure: Exception) -> DatabaseError:
    """As SQLAlchemy passes on a failure of asyncpg: in an error of its own, in another one."""
    orig = Exception(f"{type(failure)}: {failure}")
    orig.__cause__ = failure
    return DatabaseError("SELECT 1", {}, orig)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (
            ConnectionRefusedError(111, "Connect call failed ('10.0.0.3', 5432)"),
            "ConnectionRefusedError: Connection refused",
        ),
        (OSError(f"Multiple exceptions: {REFUSED}, {REFUSED}"), "OSError"),
        (of_the_driver(asyncpg.InvalidPasswordError('… failed for user "10.0.0.3"')), "InvalidPasswordError (28P01)"),
        (of_the_driver(asyncpg.InterfaceError("no connection to 10.0.0.3")), "InterfaceError"),
        (PendingRollbackError(f"rolled back. Original exception was: {REFUSED}"), "PendingRollbackError"),
        (InterfaceError("SELECT 1", {}, OSError(111, "10.0.0.3")), "ConnectionRefusedError: Connection refused"),
    ],
)
def test_names_are_for_the_log_alone(failure: Exception, told: str) -> None:
    found = of_the_database(failure, closed=True)
    assert found is not None
    assert found.message == f"the database does not answer: {told}"
    assert "10.0.0.3" in found.reason


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (socket.gaierror(-2, "Name or service not known"), "gaierror: Name or service not known"),
        (TimeoutError(), "TimeoutError: no answer in time"),
        (
            PoolTimeout("QueuePool limit of size 4 overflow 0 reached"),
            "TimeoutError: QueuePool limit of size 4 overflow 0 reached",
        ),
        (
            DatabaseError("SELECT 1", {}, sqlite3.DatabaseError("file is not a database")),
            "DatabaseError: file is not a database",
        ),
    ],
)
def test_a_text_without_names_is_for_all(failure: Exception, told: str) -> None:
    found = of_the_database(failure, closed=True)
    assert found is not None
    assert found.message == f"the database does not answer: {told}"
