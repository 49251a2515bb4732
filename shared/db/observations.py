"""Observations of the server under test. The lease's holder adds them; the summary and the API read them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, select, true

from shared.db.again import tries_again
from shared.db.caps import Now
from shared.db.database import Database
from shared.db.leases import Lease, held
from shared.db.observation_tables import ObservationBlock
from shared.db.reservations import Bill, pay
from shared.db.spend import hold_account
from shared.db.types import utc_now
from shared.errors import LeaseLost
from shared.observing.blocks import decode, encode
from shared.observing.sample import Sample

# Blocks that are in memory at a time when they are read.
BLOCKS_A_PAGE = 50


class Extent(NamedTuple):
    """How many samples there are, and the times of the first and the last."""

    samples: int
    begin_us: int
    end_us: int


@tries_again
class ObservationRepository:
    """Rows of `observations`."""

    def __init__(self, database: Database, *, now: Now = utc_now) -> None:
        """`now`: the database's clock."""
        self._database = database
        self._now = now

    async def add(self, lease: Lease, samples: Sequence[Sample], bill: Bill | None = None) -> None:
        """Stores samples as one block. Raises LeaseLost. It may be called again if a commit's answer was lost.

        `bill`: what its probes cost, in `beside`. It counts once, with the block.
        """
        if not samples:
            return
        data = encode(samples)
        async with self._database.write() as session:
            # Lock the benchmark first: one that was deleted or taken over gets no row.
            found = await hold_account(session, held(lease), self._now)
            if found is None:
                raise LeaseLost(f"benchmark {lease.benchmark_id} is no longer this worker's")
            stored = await session.execute(
                self._database.insert(ObservationBlock)
                .values(
                    benchmark_id=lease.benchmark_id,
                    begin_us=samples[0].at_us,
                    end_us=samples[-1].at_us,
                    samples=len(samples),
                    data=data,
                )
                .on_conflict_do_nothing(index_elements=["benchmark_id", "begin_us"])
                .returning(ObservationBlock.begin_us)
            )
            if bill is not None:
                settled = bill.beside if stored.all() else {}
                await pay(session, self._database, found[0], lease.fence, found[1], bill, settled)

    async def extent(self, benchmark_id: int, begin_us: int | None = None, end_us: int | None = None) -> Extent | None:
        """Of the blocks that have a part in this time; None if there are none."""
        block = ObservationBlock
        query = select(func.sum(block.samples), func.min(block.begin_us), func.max(block.end_us)).where(
            _within(benchmark_id, begin_us, end_us)
        )
        async with self._database.read() as session:
            samples, first_us, last_us = (await session.execute(query)).one()
        return Extent(int(samples), first_us, last_us) if samples else None

    async def samples(
        self, benchmark_id: int, begin_us: int | None = None, end_us: int | None = None
    ) -> AsyncIterator[Sequence[Sample]]:
        """The samples in their order of time, in pages. The first and the last page may reach beyond the time asked."""
        after = true()
        while True:
            query = (
                select(ObservationBlock.begin_us, ObservationBlock.data)
                .where(_within(benchmark_id, begin_us, end_us), after)
                .order_by(ObservationBlock.begin_us)
                .limit(BLOCKS_A_PAGE)
            )
            async with self._database.read() as session:
                rows = (await session.execute(query)).all()
            if not rows:
                return
            yield await asyncio.to_thread(_decoded, [row.data for row in rows])
            after = ObservationBlock.begin_us > rows[-1].begin_us


def _within(benchmark_id: int, begin_us: int | None, end_us: int | None) -> ColumnElement[bool]:
    return and_(
        ObservationBlock.benchmark_id == benchmark_id,
        true() if begin_us is None else ObservationBlock.end_us >= begin_us,
        true() if end_us is None else ObservationBlock.begin_us <= end_us,
    )


def _decoded(blocks: Sequence[bytes]) -> list[Sample]:
    return [sample for block in blocks for sample in decode(block)]
