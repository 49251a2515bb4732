"""Databases that tests use one after the other.

SQLAlchemy's engine keeps each statement that it has compiled. Compiled again for each test, statements would take a
fifth of the suite's processor time.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shared.db.connection.database import Database


class Databases:
    """Lends each database to one user at a time. Its connections are closed in between."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[Any, ...], list[Database]] = defaultdict(list)

    @asynccontextmanager
    async def lent(self, url: str, **options: Any) -> AsyncIterator[Database]:
        """A database that nobody else has at this time. `options` are those of `Database`."""
        idle = self._idle[url, *sorted(options.items())]
        database = idle.pop() if idle else Database(url, **options)
        try:
            yield database
        finally:
            await database.close()
            idle.append(database)


# All belong to the session's event loop.
DATABASES = Databases()
