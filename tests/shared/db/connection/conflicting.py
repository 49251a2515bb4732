"""A database whose first transaction meets another one at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.connection.database import Database
from shared.db.connection.failures import Conflicted


class ConflictingDatabase(Database):
    """Refuses its first transaction, after all its statements."""

    conflicts = 1

    def _refuse(self) -> None:
        if self.conflicts:
            self.conflicts -= 1
            raise Conflicted("a deadlock was detected")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        async with super().read() as session:
            yield session
            self._refuse()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        async with super().write() as session:
            yield session
            self._refuse()
