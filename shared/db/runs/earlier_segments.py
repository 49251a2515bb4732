"""Segments as the worker that goes on with a benchmark reads them. It is bound to no caller."""

from collections.abc import Sequence

from sqlalchemy import select

from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Segment


@tries_again
class RunSegments:
    """Reads rows of `segments`. `LeaseRepository` writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, benchmark_id: int) -> Sequence[Segment]:
        """All segments of a benchmark, first to last."""
        query = select(Segment).where(Segment.benchmark_id == benchmark_id).order_by(Segment.fence)
        async with self._database.read() as session:
            return (await session.scalars(query)).all()
