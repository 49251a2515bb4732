"""Observations in both databases: only the lease's holder adds them, and they are read in their order of time."""

import pytest

from shared.access.caller import LOCAL
from shared.db.connection.database import Database
from shared.db.results.observations import Extent, ObservationRepository
from shared.db.runs.observations import RunObservations
from shared.errors import LeaseLost
from shared.observing.sample import Sample
from tests.shared.db.rows import Tables

S = 1_000_000


def seconds(*numbers: int) -> list[Sample]:
    return [Sample(number * S, {"running": float(number)}) for number in numbers]


class Observations(ObservationRepository):
    """As the API reads them, and as the lease's holder adds them."""

    def __init__(self, database: Database) -> None:
        super().__init__(LOCAL, database)
        self.add = RunObservations(database).add


async def read(
    observations: Observations, benchmark_id: int, begin_us: int | None = None, end_us: int | None = None
) -> list[int]:
    return [sample.at_us // S async for page in observations.samples(benchmark_id, begin_us, end_us) for sample in page]


async def test_blocks_come_back_in_their_order_of_time(tables: Tables) -> None:
    observations = Observations(tables.database)
    benchmark_id = await tables.add()
    lease = await tables.claimed()
    await observations.add(lease, seconds(1, 2, 3))
    await observations.add(lease, seconds(4, 5))
    await observations.add(lease, [])
    assert await read(observations, benchmark_id) == [1, 2, 3, 4, 5]
    assert await observations.extent(benchmark_id) == Extent(5, S, 5 * S)
    # Only the blocks that have a part in the time.
    assert await read(observations, benchmark_id, 4 * S) == [4, 5]
    assert await read(observations, benchmark_id, None, 3 * S) == [1, 2, 3]
    assert await observations.extent(benchmark_id, 6 * S) is None


async def test_more_blocks_than_a_page_holds(tables: Tables) -> None:
    observations = Observations(tables.database)
    benchmark_id = await tables.add()
    lease = await tables.claimed()
    for second in range(120):
        await observations.add(lease, seconds(second))
    assert await read(observations, benchmark_id) == list(range(120))


async def test_a_commit_that_was_not_heard_of_may_be_done_again(tables: Tables) -> None:
    observations = Observations(tables.database)
    benchmark_id = await tables.add()
    lease = await tables.claimed()
    for _ in range(2):
        await observations.add(lease, seconds(1, 2))
    assert await read(observations, benchmark_id) == [1, 2]


async def test_a_worker_that_lost_the_lease_adds_nothing(tables: Tables) -> None:
    observations = Observations(tables.database)
    benchmark_id = await tables.add()
    claimed = await tables.lapsing.claim("dead")
    assert claimed is not None
    await observations.add(claimed[0], seconds(1))
    await tables.claimed("next")
    with pytest.raises(LeaseLost):
        await observations.add(claimed[0], seconds(2))
    assert await read(observations, benchmark_id) == [1]


async def test_observations_go_with_their_benchmark(tables: Tables) -> None:
    observations = Observations(tables.database)
    benchmark_id = await tables.add()
    await observations.add(await tables.claimed(), seconds(1))
    await tables.benchmarks.delete(benchmark_id)
    assert await observations.extent(benchmark_id) is None
