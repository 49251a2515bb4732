"""Observations of the server under test, as the worker that runs the benchmark adds and reads them."""

from collections.abc import AsyncIterator, Sequence

from shared.db.connection.again import tries_again
from shared.db.connection.clock import Now, database_now
from shared.db.connection.database import Database
from shared.db.money.reservations import Bill, pay
from shared.db.results.observation_blocks import samples_of, within
from shared.db.runs.lease import Lease, hold
from shared.db.tables.observations import ObservationBlock
from shared.observing.blocks import encode
from shared.observing.sample import Sample


@tries_again
class RunObservations:
    """Rows of `observations`."""

    def __init__(self, database: Database, *, now: Now = database_now) -> None:
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
            account, now = await hold(session, lease, self._now)
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
                await pay(session, self._database, account, lease.fence, now, bill, settled)

    def samples(
        self, benchmark_id: int, begin_us: int | None = None, end_us: int | None = None
    ) -> AsyncIterator[Sequence[Sample]]:
        """The samples in their order of time, in pages. The first and the last page may reach beyond the time asked."""
        return samples_of(self._database, within(benchmark_id, begin_us, end_us))
