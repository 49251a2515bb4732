"""Observations of the server under test, as the API reads them."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from sqlalchemy import and_, func, select

from shared.access.caller import Caller
from shared.db.access.owned import sees
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.results.observation_blocks import samples_of, within
from shared.db.tables.observations import ObservationBlock
from shared.observing.sample import Sample


class Extent(NamedTuple):
    """How many samples there are, and the times of the first and the last."""

    samples: int
    begin_us: int
    end_us: int


@tries_again
class ObservationRepository:
    """Reads rows of `observations`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def extent(self, benchmark_id: int, begin_us: int | None = None, end_us: int | None = None) -> Extent | None:
        """Of the blocks that have a part in this time; None if there are none."""
        block = ObservationBlock
        query = select(func.sum(block.samples), func.min(block.begin_us), func.max(block.end_us)).where(
            within(benchmark_id, begin_us, end_us), sees(self._caller, benchmark_id)
        )
        async with self._database.read() as session:
            samples, first_us, last_us = (await session.execute(query)).one()
        return Extent(int(samples), first_us, last_us) if samples else None

    def samples(
        self, benchmark_id: int, begin_us: int | None = None, end_us: int | None = None
    ) -> AsyncIterator[Sequence[Sample]]:
        """The samples in their order of time, in pages. The first and the last page may reach beyond the time asked."""
        seen = and_(within(benchmark_id, begin_us, end_us), sees(self._caller, benchmark_id))
        return samples_of(self._database, seen)
