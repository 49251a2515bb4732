"""Which benchmarks a worker takes, and when."""

import asyncio

from shared.db.connection.database import Database
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
