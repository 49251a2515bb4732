"""Transactions that meet: one lock order everywhere, and what the database refuses is tried again."""

import asyncio

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from shared.access.caller import LOCAL
from shared.db.benchmarks.pages import BenchmarkPages
from shared.db.connection.again import TRIES, tries_again
from shared.db.connection.database import Database
from shared.db.connection.failures import Conflicted
from shared.db.connection.open_connections import warn_of_too_many_connections
from shared.db.results.pages import ResultPages
from shared.db.tables.benchmarks import Benchmark
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository
from shared.db.webhooks.delivery_history import DeliveryHistory
from shared.db.webhooks.endpoints import WebhookRepository
from shared.webhooks.message import NewEndpoint
from tests.shared.db.connection.conflicting import ConflictingDatabase
from tests.shared.db.rows import Tables

POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@tries_again
class Renamer:
    """Changes two benchmarks in the given order. The first try waits in between, until the other one is there too."""

    def __init__(self, database: Database, meet: asyncio.Barrier) -> None:
        self._database = database
        self._meet = meet
        self.tries = 0

    async def rename(self, first: int, second: int, name: str) -> None:
        self.tries += 1
        async with self._database.write() as session:
            await session.execute(update(Benchmark).where(Benchmark.id == first).values(name=name))
            if self.tries == 1:
                await self._meet.wait()
            await session.execute(update(Benchmark).where(Benchmark.id == second).values(name=name))


@POSTGRESQL
async def test_of_two_in_a_deadlock_both_end(database: Database, tables: Tables) -> None:
    one, two = await tables.add(), await tables.add()
    meet = asyncio.Barrier(2)
    renamers = [Renamer(database, meet) for _ in range(2)]
    await asyncio.gather(renamers[0].rename(one, two, "a"), renamers[1].rename(two, one, "b"))
    assert sorted(renamer.tries for renamer in renamers) == [1, 2]
    names = {(await tables.benchmarks.get(number)).name for number in (one, two)}
    assert len(names) == 1


async def test_what_is_refused_again_and_again_is_unavailable() -> None:
    @tries_again
    class Refused:
        tries = 0

        async def write(self) -> None:
            self.tries += 1
            raise Conflicted("refused")

    repository = Refused()
    with pytest.raises(Conflicted):
        await repository.write()
    assert repository.tries == TRIES


async def test_lists_are_read_again(database_url: str, tables: Tables) -> None:
    """A standby refuses a read that meets its replication, and a statement is stale after a migration."""
    number = await tables.add()
    for read in (
        lambda database: BenchmarkPages(LOCAL, database).prompts(number, after=-1, limit=10),
        lambda database: ResultPages(LOCAL, database).rows([], with_timeline=False),
    ):
        conflicting = ConflictingDatabase(database_url)
        await read(conflicting)
        assert conflicting.conflicts == 0
        await conflicting.close()


@POSTGRESQL
async def test_redeliveries_and_ends_of_attempts_do_not_lock_each_other_out(database: Database) -> None:
    endpoints, deliveries = WebhookRepository(LOCAL, database), DeliveryRepository(database)
    history = DeliveryHistory(LOCAL, database)
    failed = Attempt(succeeded=False, duration_ms=1, status_code=500, wait_s=0)
    with capture_logs() as logs:
        for _ in range(30):
            endpoint = await endpoints.add(NewEndpoint("http://receiver.example", (), ()))
            delivery_id = await endpoints.test(endpoint.id)
            (due,) = await deliveries.claim(1)
            await asyncio.gather(
                history.redeliver(delivery_id), deliveries.settle(due, failed), history.redeliver(delivery_id)
            )
            await asyncio.gather(endpoints.delete(endpoint.id), deliveries.settle(due, failed))
    assert [entry for entry in logs if entry["event"] == "transaction_tried_again"] == []


@POSTGRESQL
async def test_more_connections_than_the_server_has_are_warned_of(database: Database) -> None:
    for pool_size, warnings in ((4, 0), (200, 1)):
        with capture_logs() as logs:
            await warn_of_too_many_connections(database, pool_size=pool_size, alive_within_s=30)
        assert [entry["event"] for entry in logs] == ["too_many_database_connections"] * warnings
