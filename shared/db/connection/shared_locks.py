"""Bounds how long a process that hangs holds a lock that others need. For transactions of claims and of money."""

from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

# So long may such a transaction wait for its next statement. A living process needs milliseconds, or seconds on a host
# that is overloaded.
LONGEST_IDLE_S = 10.0


def idle_bound(session: AsyncSession, longest_s: float = LONGEST_IDLE_S) -> list[ColumnElement[Any]]:
    """Columns for the end of a SELECT that takes a lock. They cost no statement of their own.

    With them, PostgreSQL ends the session if its transaction waits so long for the next statement. Without them, the
    locks of a process that is stopped, or whose host has lost the network, would hold up all others until the server
    notices, which takes hours. On SQLite there are none: the operating system frees the lock of a dead process.
    """
    if session.get_bind().dialect.name != "postgresql":
        return []
    milliseconds = max(1, round(longest_s * 1e3))
    # For this transaction alone.
    return [func.set_config("idle_in_transaction_session_timeout", str(milliseconds), True)]


async def bound_idle_time(session: AsyncSession) -> None:
    """The same, before a statement that takes a lock and is no SELECT."""
    if columns := idle_bound(session):
        await session.execute(select(*columns))
