"""The driver's connection that a transaction has. `Database` fills it in, `Transaction` closes it."""

import asyncio
import sqlite3
from contextvars import ContextVar
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Checkout:
    """Empty until the pool has handed out a connection."""

    def __init__(self) -> None:
        self._connection: Any = None

    def take(self, connection: Any) -> None:
        """`connection`: asyncpg's or aiosqlite's."""
        self._connection = connection

    def give(self, connection: Any) -> None:
        """The pool has it back. From now on, the connection may be another transaction's."""
        if connection is self._connection:
            self._connection = None

    @property
    def closed(self) -> bool:
        """There is no connection, or asyncpg has lost it."""
        if self._connection is None:
            return True
        is_closed = getattr(self._connection, "is_closed", None)
        return bool(is_closed()) if is_closed is not None else False

    async def close(self) -> None:
        """Closes the connection whatever state it is in."""
        if self._connection is None:
            return
        if hasattr(self._connection, "terminate"):
            self._connection.terminate()
            return
        # aiosqlite does this in its thread, once the statement under way has ended.
        try:
            await self._connection.rollback()
        except ValueError:
            # It is closed, or its thread is about to close it.
            return
        except sqlite3.Error as exc:
            log.debug("connection_not_rolled_back", error=str(exc))
        except asyncio.CancelledError:
            self._connection.stop()
            raise
        if (closed := self._connection.stop()) is not None:
            await closed


# Of the transaction that this task runs.
checked_out: ContextVar[Checkout | None] = ContextVar("checked_out", default=None)
