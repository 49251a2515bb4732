"""Bounds how long a process that hangs holds a lock that others need. For transactions of claims and of money."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# So long may such a transaction wait for its next statement. A living process needs milliseconds, or seconds on a host
# that is overloaded.
LONGEST_IDLE_S = 10.0


async def bound_idle_time(session: AsyncSession, longest_s: float = LONGEST_IDLE_S) -> None:
    """Lets PostgreSQL end the session if its transaction waits so long for a statement, before the first lock.

    Without this, the locks of a process that is stopped, or whose host has lost the network, would hold up all others
    until the server notices, which takes hours. On SQLite, the operating system frees the lock of a dead process.
    """
    if session.get_bind().dialect.name == "postgresql":
        milliseconds = max(1, round(longest_s * 1e3))
        await session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}"))
