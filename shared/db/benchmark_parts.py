"""The segments and the stages of a benchmark, as the API shows them. Workers write them."""

from collections.abc import Sequence

from sqlalchemy import select

from shared.access.caller import Caller
from shared.db.again import tries_again
from shared.db.database import Database
from shared.db.tables import Segment, StageRow


@tries_again
class SegmentRepository:
    """Reads rows of `segments`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def of(self, benchmark_id: int) -> Sequence[Segment]:
        """All segments of a benchmark, first to last."""
        query = select(Segment).where(Segment.benchmark_id == benchmark_id).order_by(Segment.fence)
        async with self._database.read() as session:
            return (await session.scalars(query)).all()


@tries_again
class StageRepository:
    """Reads rows of `stages`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def of(self, benchmark_id: int) -> Sequence[StageRow]:
        """All stages of a benchmark that have begun, first to last."""
        query = select(StageRow).where(StageRow.benchmark_id == benchmark_id).order_by(StageRow.number)
        async with self._database.read() as session:
            return (await session.scalars(query)).all()
