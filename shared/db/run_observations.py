"""Observations of the server under test, as the worker that runs the benchmark adds and reads them."""

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import select

from shared.db.again import tries_again
from shared.db.database import Database
from shared.db.leases import Lease, held
from shared.db.observation_blocks import samples_of, within
from shared.db.observation_tables import ObservationBlock
from shared.db.tables import Benchmark
from shared.errors import LeaseLost
from shared.observing.blocks import encode
from shared.observing.sample import Sample


@tries_again
class RunObservations:
    """Rows of `observations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, lease: Lease, samples: Sequence[Sample]) -> None:
        """Stores samples as one block. Raises LeaseLost. It may be called again if a commit's answer was lost."""
        if not samples:
            return
        data = encode(samples)
        async with self._database.write() as session:
            # Lock the benchmark first: one that was deleted or taken over gets no row.
            if await session.scalar(select(Benchmark.id).where(held(lease)).with_for_update()) is None:
                raise LeaseLost(f"benchmark {lease.benchmark_id} is no longer this worker's")
            await session.execute(
                self._database.insert(ObservationBlock)
                .values(
                    benchmark_id=lease.benchmark_id,
                    begin_us=samples[0].at_us,
                    end_us=samples[-1].at_us,
                    samples=len(samples),
                    data=data,
                )
                .on_conflict_do_nothing(index_elements=["benchmark_id", "begin_us"])
            )

    def samples(
        self, benchmark_id: int, begin_us: int | None = None, end_us: int | None = None
    ) -> AsyncIterator[Sequence[Sample]]:
        """The samples in their order of time, in pages. The first and the last page may reach beyond the time asked."""
        return samples_of(self._database, within(benchmark_id, begin_us, end_us))
