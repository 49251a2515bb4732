"""Money of runs that several workers share: what one has reserved is settled once, and another one goes on."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from shared.access.caller import LOCAL
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.support.databases.ledger import Ledger, priced
from tests.support.service import make_settings, running_worker
from tests.support.waiting import PATIENCE_S, until
from tests.worker.run.budgets.requests import COST, FOUR, WORST
from worker.engine.children import Children

KEYS = KeyRing({})


class Place:
    """A database, a Redis and a simulator for workers, and a benchmark."""

    def __init__(self, database_url: str, redis_url: str, simulator: Simulator, database: Database) -> None:
        providers = [priced(simulator.base_url)]
        self.settings = make_settings(database_url, redis_url, None, providers=providers, lease_s=30, sweep_s=0.1)
        self.benchmarks = BenchmarkRepository(LOCAL, database)
        self._database = database

    async def add(self, prompts: int, **fields: object) -> int:
        body = {"name": "test", "prompts": ["x"] * prompts, "concurrency": 1, **FOUR, **fields}
        spec = BenchmarkSpec.model_validate(body).with_defaults()
        return (await self.benchmarks.create(spec, "priced")).id

    async def crash(self, number: int) -> None:
        """Its lease is another worker's and has lapsed, so the run can store nothing more, however late a claim is."""
        async with self._database.write() as session:
            past = datetime.now(UTC) - timedelta(hours=1)
            lapsed = {"lease_owner": "dead", "lease_expires_at": past}
            await session.execute(update(Benchmark).where(Benchmark.id == number).values(**lapsed))

    async def ended(self, number: int) -> Benchmark:
        async def look() -> Benchmark | None:
            benchmark = await self.benchmarks.get(number)
            return benchmark if benchmark.completed_at is not None else None

        found = await until(look)
        assert found is not None
        return found


@pytest.fixture
def place(database_url: str, redis_url: str, simulator: Simulator, database: Database) -> Place:
    return Place(database_url, redis_url, simulator, database)


async def test_a_worker_that_leaves_gives_back_what_it_has_not_sent(
    place: Place, ledger: Ledger, simulator: Simulator, children: Children
) -> None:
    number = await place.add(4, model="sim-ttft300-gap1-n4", budget_usd=1)
    async with running_worker(place.settings, KEYS, children):
        await simulator.wait_for(lambda server: server.in_flight == 1)
    [cap] = await ledger.caps()
    assert (cap.spent, cap.reserved, await ledger.reservations()) == (COST, 0, [])
    async with running_worker(place.settings, KEYS, children):
        assert (await place.ended(number)).status == "completed"
    [cap] = await ledger.caps()
    assert (cap.spent, cap.reserved) == (4 * COST, 0)
    assert len(simulator.requests) == 4


async def test_what_a_worker_cut_off_as_it_left_costs_its_worst_case(
    place: Place, ledger: Ledger, simulator: Simulator, children: Children
) -> None:
    await place.add(1, model="sim-ttft5-gap5-endless", budget_usd=1)
    async with running_worker(place.settings, KEYS, children) as dispatcher:
        await simulator.wait_for(lambda server: bool(server.requests) and server.requests[0].content_events > 2)
        stopping = asyncio.create_task(dispatcher.stop())
        dispatcher.stop_now()
        async with asyncio.timeout(PATIENCE_S):
            await stopping
    [cap], [row] = await ledger.caps(), await ledger.spend()
    assert (cap.spent, cap.reserved) == (row.amount, 0) == (WORST, 0)
    assert (row.worst_case, row.requests) == (WORST, 1)


@pytest.mark.parametrize("budget_usd", [1, None])
async def test_what_a_dead_worker_may_have_sent_costs_its_worst_case_once(
    place: Place, ledger: Ledger, simulator: Simulator, children: Children, budget_usd: float | None
) -> None:
    """With a cap, all that it has marked; without one, the same, as the next worker finds out."""
    number = await place.add(
        6, model="sim-ttft100-gap1-n4", **({} if budget_usd is None else {"budget_usd": budget_usd})
    )
    async with running_worker(place.settings, KEYS, children) as dispatcher:
        await simulator.wait_for(lambda server: len(server.requests) == 3)
        # It claims it again, as another one would; the first run notices that it has lost the lease.
        await place.crash(number)
        dispatcher.ring()
        benchmark = await place.ended(number)
    assert (benchmark.status, benchmark.crashes) == ("completed", 1)
    [row] = await ledger.spend()
    marked, rest = divmod(row.worst_case, WORST)
    assert rest == 0
    # One in flight and one ahead; a result may be stored at the same moment.
    assert 1 <= marked <= 2
    assert row.amount == 6 * COST + row.worst_case
    assert len(simulator.requests) <= 6 + marked
    assert await ledger.reservations() == []
    if budget_usd is not None:
        [cap] = await ledger.caps()
        assert (cap.spent, cap.reserved) == (row.amount, 0)


async def test_workers_settle_what_nobody_else_will(
    place: Place, ledger: Ledger, database: Database, simulator: Simulator, children: Children
) -> None:
    """A version without budgets has deleted the benchmark."""
    await ledger.set_budget("owner:default:month", 10**9)
    past = datetime.now(UTC) - timedelta(hours=1)
    await ledger.reserve(77, ["owner:default:month:2026-11"], 300, past)
    async with running_worker(place.settings, KEYS, children):

        async def is_settled() -> bool:
            return not await ledger.reservations()

        await until(is_settled)
    [row] = await ledger.spend()
    assert (row.benchmark_id, row.owner, row.amount, row.worst_case) == (77, "acme", 300, 300)
    [cap] = await ledger.caps()
    assert (cap.spent, cap.reserved) == (300, 0)


async def test_a_run_waits_for_what_another_one_gives_back(
    place: Place, ledger: Ledger, database: Database, simulator: Simulator, children: Children
) -> None:
    """Another benchmark has reserved all the money. When it gives some back, the run goes on to its end."""
    await ledger.set_budget("owner:default:month", 4 * WORST)
    month = f"owner:default:month:{datetime.now(UTC):%Y-%m}"
    await ledger.reserve(77, [month], 4 * WORST, datetime.now(UTC) + timedelta(hours=1), owner="default", cap=4 * WORST)
    number = await place.add(3)
    async with running_worker(place.settings, KEYS, children):

        async def is_running() -> bool:
            return (await place.benchmarks.get(number)).target is not None

        await until(is_running)
        assert not simulator.requests
        await ledger.give_back(month, 3 * WORST)
        benchmark = await place.ended(number)
    assert (benchmark.status, benchmark.stopped, benchmark.done) == ("completed", None, 3)
