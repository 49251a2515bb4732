"""Which benchmarks a worker takes, and when."""

import asyncio

from sqlalchemy import update

from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.shared.db.rows import Tables, make_spec
from tests.support.service import make_settings, running_worker
from tests.support.waiting import PATIENCE_S
from worker.engine.children import Children


async def test_one_bell_is_enough_for_all_that_are_pending(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    """No sweep comes in time, and none of them ends before the last is claimed."""
    settings = make_settings(database_url, redis_url, simulator.base_url, sweep_s=600, lease_s=1_200)
    spec, benchmarks = make_spec(model="sim-ttft600000").with_defaults(), Tables(database).benchmarks
    async with running_worker(settings, KeyRing({}), children) as dispatcher:
        created = [(await benchmarks.create(spec, "simulator")).id for _ in range(3)]
        dispatcher.ring()
        async with asyncio.timeout(PATIENCE_S):
            while {await benchmarks.status(number) for number in created} != {"running"}:
                await asyncio.sleep(0.02)
        dispatcher.stop_now()


async def test_a_worker_that_claims_its_own_benchmark_again_ends_only_with_both_runs(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    """The lease has lapsed, as if the database had been away. The older run has not noticed that yet."""
    settings = make_settings(database_url, redis_url, simulator.base_url, lease_s=1_200, worker_max_benchmarks=2)
    spec, benchmarks = make_spec(model="sim-ttft600000").with_defaults(), Tables(database).benchmarks
    number = (await benchmarks.create(spec, "simulator")).id
    async with running_worker(settings, KeyRing({}), children) as dispatcher:
        async with asyncio.timeout(PATIENCE_S):
            while len(simulator.requests) < 2:
                await asyncio.sleep(0.02)
            async with database.write() as session:
                await session.execute(update(Benchmark).values(lease_expires_at=utc_now(-1)))
            while (await benchmarks.get(number)).fence < 2 or len(runs()) < 2:
                await asyncio.sleep(0.02)
        dispatcher.stop_now()
    assert runs() == []


def runs() -> list[str]:
    """The runs of benchmarks in this process that have not ended."""
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    return [name for name in (getattr(item, "__qualname__", "") for item in coroutines) if name == "BenchmarkRun.run"]
