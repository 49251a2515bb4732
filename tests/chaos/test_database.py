"""The database away, restarted, cut off: results wait, nothing is lost, and a lease that lapsed is obeyed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from shared.db.connection.engine import make_engine
from tests.chaos.conftest import Scenario
from tests.chaos.stack import LEASE_S, Chaos

# SQLite has neither server nor sessions nor network.
POSTGRESQL = pytest.mark.parametrize("deployment", ["postgresql"], indirect=True)


@asynccontextmanager
async def away(chaos: Chaos) -> AsyncIterator[None]:
    """Nobody can write, as far as the database is one that can go away; readers of SQLite still can."""
    if chaos.database_proxy is None:
        with chaos.database_held():
            yield
        return
    await chaos.database_proxy.cut()
    yield
    await chaos.database_proxy.start()


async def test_away_for_a_moment(scenario: Scenario) -> None:
    """the database away for half a lease: nothing is interrupted"""
    # A lease is prolonged every third of it, so at worst a sixth is left when the database is back: long enough for a
    # busy machine to prolong it in time.
    lease_s = 18
    await scenario.chaos.end_workers()
    scenario.chaos.start_worker(LEASE_S=str(lease_s))
    number = await scenario.submit(prompts=40)
    await scenario.chaos.under_way(number, 4)
    async with away(scenario.chaos):
        # The fault is this time.
        await asyncio.sleep(lease_s / 2)
    document = await scenario.chaos.ended(number)
    assert (document["status"], document["interrupted"]) == ("completed", False)
    await scenario.chaos.end_workers()
    account = await scenario.survived()
    assert account.duplicates == 0


async def test_away_for_ten_seconds(scenario: Scenario) -> None:
    """the database away for ten seconds, longer than the lease: streams are closed, then the run goes on"""
    number = await scenario.submit(prompts=40)
    await scenario.chaos.under_way(number, 4)
    since = scenario.chaos.mark()
    async with away(scenario.chaos):
        # The fault is this time.
        await asyncio.sleep(10)
        # What may be sent without a commit is sent in the first seconds; after that nothing more.
        quiet = scenario.chaos.mark()
        # Three times as long as a request takes. What must not happen has no event.
        await asyncio.sleep(0.5)
        assert scenario.chaos.mark() == quiet
    assert quiet - since <= 8 * 2
    assert (await scenario.chaos.ended(number))["status"] == "completed"
    assert all(worker.running for worker in scenario.chaos.workers)
    await scenario.survived()


@POSTGRESQL
async def test_restart(scenario: Scenario) -> None:
    """PostgreSQL crashes and is started again in mid-run"""
    server = scenario.chaos.postgresql
    assert server is not None
    number = await scenario.submit(prompts=40)
    await scenario.chaos.under_way(number, 4)
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    assert (await scenario.chaos.ended(number))["status"] == "completed"
    assert all(worker.running for worker in scenario.chaos.workers)
    await scenario.survived()


@POSTGRESQL
async def test_sessions_killed(scenario: Scenario) -> None:
    """pg_terminate_backend of every session, ten times in a run"""
    server = scenario.chaos.postgresql
    assert server is not None
    # Long enough for a busy machine to prolong the lease between two of the kills.
    await scenario.chaos.end_workers()
    scenario.chaos.start_worker(LEASE_S="18")
    number = await scenario.submit(prompts=80)
    await scenario.chaos.under_way(number, 2)
    engine = make_engine(server.url, isolation_level="AUTOCOMMIT")
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'test'"
    )
    for _ in range(10):
        done = (await scenario.chaos.until(number, lambda document: "progress" in document))["progress"]["done"]
        async with engine.connect() as connection:
            await connection.execute(kill)
        # The next kill comes when something has been stored again.
        await scenario.chaos.under_way(number, min(done + 1, 80))
    await engine.dispose()
    document = await scenario.chaos.ended(number)
    assert (document["status"], document["interrupted"]) == ("completed", False)
    await scenario.chaos.end_workers()
    account = await scenario.survived()
    assert account.duplicates == 0


@POSTGRESQL
async def test_partition(scenario: Scenario) -> None:
    """PostgreSQL behind a network that swallows every byte for longer than the lease"""
    proxy = scenario.chaos.database_proxy
    assert proxy is not None
    number = await scenario.submit(prompts=40)
    await scenario.chaos.under_way(number, 4)
    proxy.swallow = True
    # The fault is this time.
    await asyncio.sleep(2 * LEASE_S)
    quiet = scenario.chaos.mark()
    # Three times as long as a request takes. What must not happen has no event.
    await asyncio.sleep(0.5)
    assert scenario.chaos.mark() == quiet
    # The network forgets what it has swallowed: those connections lead nowhere for ever.
    await proxy.cut()
    proxy.swallow = False
    await proxy.start()
    assert (await scenario.chaos.ended(number))["status"] == "completed"
    await scenario.survived()
