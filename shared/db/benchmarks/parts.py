"""The segments and the stages of a benchmark, as the API shows them. Workers write them."""

from collections.abc import Sequence

from sqlalchemy import and_, select

from shared.access.caller import Caller
from shared.db.access.owned import sees
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Segment, StageRow


@tries_again
class SegmentRepository:
    """Reads rows of `segments`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def of(self, benchmark_id: int) -> Sequence[Segment]:
        """All segments of a benchmark, first to last."""
        own = and_(Segment.benchmark_id == benchmark_id, sees(self._caller, benchmark_id))
        query = select(Segment).where(own).order_by(Segment.fence)
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
        own = and_(StageRow.benchmark_id == benchmark_id, sees(self._caller, benchmark_id))
        query = select(StageRow).where(own).order_by(StageRow.number)
        async with self._database.read() as session:
            return (await session.scalars(query)).all()
