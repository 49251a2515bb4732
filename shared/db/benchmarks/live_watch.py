"""The states of all benchmarks that clients of this process follow, read together. For `Feeds` and `Ends` alone.

A repository of the caller has shown before that each client may see its benchmark.
"""

from collections.abc import Collection

from sqlalchemy import select, true

from shared.benchmark.status import Status
from shared.db.benchmarks.live import LiveState, states_of
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark


@tries_again
class LiveWatch:
    """Reads states of benchmarks of any owner by their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self, ids: Collection[int]) -> dict[int, LiveState]:
        """The benchmarks that there are, by id. Raises Unavailable without the database."""
        return await states_of(self._database, ids, true())

    async def statuses(self, ids: Collection[int]) -> dict[int, Status]:
        """Just the statuses, cheaply. Raises Unavailable without the database."""
        query = select(Benchmark.id, Benchmark.status).where(Benchmark.id.in_(ids))
        async with self._database.read() as session:
            return {row.id: row.status for row in await session.execute(query)}
