"""The live states of all benchmarks that this process's listeners follow, read together. Only `Feeds` has it.

`LiveRepository` has shown before that each listener may see its benchmark.
"""

from collections.abc import Collection

from sqlalchemy import true

from shared.db.again import tries_again
from shared.db.database import Database
from shared.db.live import LiveState, states_of


@tries_again
class LiveWatch:
    """Reads states of benchmarks of any owner by their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self, ids: Collection[int]) -> dict[int, LiveState]:
        """The benchmarks that there are, by id. Raises Unavailable without the database."""
        return await states_of(self._database, ids, true())
