"""How stored observations are read, page by page. For the repositories of the API and of the worker."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from sqlalchemy import ColumnElement, and_, select, true

from shared.db.connection.database import Database
from shared.db.tables.observations import ObservationBlock
from shared.observing.blocks import decode
from shared.observing.sample import Sample

# Blocks that are in memory at a time when they are read.
BLOCKS_A_PAGE = 50


def within(benchmark_id: int, begin_us: int | None, end_us: int | None) -> ColumnElement[bool]:
    """The blocks of a benchmark that have a part in this time."""
    return and_(
        ObservationBlock.benchmark_id == benchmark_id,
        true() if begin_us is None else ObservationBlock.end_us >= begin_us,
        true() if end_us is None else ObservationBlock.begin_us <= end_us,
    )


async def samples_of(database: Database, where: ColumnElement[bool]) -> AsyncIterator[Sequence[Sample]]:
    """The samples of these blocks in their order of time, in pages."""
    after = true()
    while True:
        query = (
            select(ObservationBlock.begin_us, ObservationBlock.data)
            .where(where, after)
            .order_by(ObservationBlock.begin_us)
            .limit(BLOCKS_A_PAGE)
        )
        async with database.read() as session:
            rows = (await session.execute(query)).all()
        if not rows:
            return
        yield await asyncio.to_thread(_decoded, [row.data for row in rows])
        after = ObservationBlock.begin_us > rows[-1].begin_us


def _decoded(blocks: Sequence[bytes]) -> list[Sample]:
    return [sample for block in blocks for sample in decode(block)]
