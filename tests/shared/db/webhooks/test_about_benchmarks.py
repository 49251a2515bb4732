"""`budget.reached` names a benchmark: it is told of before the name goes, and the name goes with all others."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from shared.access.caller import LOCAL
from shared.db.benchmarks.retention import RetentionRepository
from shared.db.connection.database import Database
from shared.db.schema.migrate import downgrade, upgrade
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.money import Cap
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookAttempt, WebhookEndpoint, WebhookEvent
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository, Due
from shared.db.webhooks.endpoints import WebhookRepository
from shared.webhooks.message import NewEndpoint
from tests.shared.db.rows import Tables, make_spec
from worker.retention import Retention

SECRET = "Secret Project"
OWN = NewEndpoint("http://own.test/", None, ["sealed"])
ECHO = Attempt(succeeded=True, duration_ms=1, status_code=200, response=f"thanks for {SECRET}")


async def stopped(tables: Tables, webhook: NewEndpoint | None = None) -> int:
    """A benchmark that its own budget has stopped."""
    spec = make_spec(name=SECRET, budget_usd=0.01)
    number = (await tables.benchmarks.create(spec, "simulator", webhook=webhook)).id
    async with tables.database.write() as session:
        await session.execute(insert(Cap).values(key=f"benchmark:{number}", owner="default", cap=10_000))
    lease = await tables.claimed()
    await tables.leases.finish(lease, "completed", summary={}, error=None, stopped_by=f"benchmark:{number}")
    return number


async def deliver_all_but_the_budget(deliveries: DeliveryRepository) -> Due:
    """Returns the attempt that is not settled."""
    claimed = {due.event_type: due for due in await deliveries.claim(9)}
    budget = claimed.pop("budget.reached")
    for due in claimed.values():
        await deliveries.settle(due, ECHO)
    return budget


async def sweep(database: Database, text_days: float | None = 0) -> None:
    async with database.write() as session:
        await session.execute(update(Benchmark).values(completed_at=utc_now(-60)))
    await Retention(RetentionRepository(database), benchmark_days=None, text_days=text_days).sweep()


async def budget_events(database: Database) -> list[Any]:
    """The name in each, and the benchmark that it is about."""
    query = select(WebhookEvent.data, WebhookEvent.about_benchmark_id).where(WebhookEvent.type == "budget.reached")
    async with database.read() as session:
        return [(data["benchmark"]["name"], about) for data, about in await session.execute(query)]


async def test_texts_stay_while_the_budget_is_told_of_and_then_the_name_goes(tables: Tables) -> None:
    database = tables.database
    registered = await WebhookRepository(LOCAL, database).add(NewEndpoint("http://all.test/", ["budget.reached"], []))
    number, deliveries = await stopped(tables), DeliveryRepository(database)
    budget = await deliver_all_but_the_budget(deliveries)
    assert budget.endpoint_id == registered.id
    await sweep(database)
    assert (await tables.benchmarks.get(number)).name == SECRET
    await deliveries.settle(budget, ECHO)
    await sweep(database)
    assert (await tables.benchmarks.get(number)).name == f"benchmark {number}"
    assert await budget_events(database) == [(f"benchmark {number}", number)]
    async with database.read() as session:
        assert (await session.scalars(select(WebhookAttempt.response))).all() == [None], "it may repeat the name"


async def test_the_own_webhook_of_a_benchmark_stays_until_it_was_told_of_the_budget(tables: Tables) -> None:
    number, deliveries = await stopped(tables, OWN), DeliveryRepository(tables.database)
    budget = await deliver_all_but_the_budget(deliveries)
    await sweep(tables.database)
    await deliveries.settle(budget, Attempt(succeeded=False, duration_ms=1, wait_s=0))
    [again] = await deliveries.claim(9)
    assert (again.event_id, again.data["benchmark"]["name"]) == (budget.event_id, SECRET)
    await deliveries.settle(again, ECHO)
    await sweep(tables.database)
    assert await budget_events(tables.database) == [(f"benchmark {number}", number)]
    async with tables.database.read() as session:
        assert await session.scalar(select(WebhookEndpoint.id)) is None


@pytest.mark.parametrize("by_age", [False, True])
async def test_a_deleted_benchmark_takes_its_name_along_and_the_event_goes_when_it_has_arrived(
    tables: Tables, by_age: bool
) -> None:
    database = tables.database
    await WebhookRepository(LOCAL, database).add(NewEndpoint("http://all.test/", ["budget.reached"], ["sealed"]))
    number, deliveries = await stopped(tables), DeliveryRepository(database)
    if by_age:
        await RetentionRepository(database).delete_step(number)
    else:
        await tables.benchmarks.delete(number)
    await sweep(database, None)
    assert await budget_events(database) == [(f"benchmark {number}", number)]
    [due] = await deliveries.claim(9)
    assert due.data["benchmark"]["name"] == f"benchmark {number}"
    await deliveries.settle(due, ECHO)
    await sweep(database, None)
    assert await budget_events(database) == []


async def test_an_event_that_nobody_listens_to_goes_with_its_benchmark(tables: Tables) -> None:
    deleted, kept = await stopped(tables), await stopped(tables)
    await tables.benchmarks.delete(deleted)
    await sweep(tables.database, None)
    assert await budget_events(tables.database) == [(SECRET, kept)]


@pytest.mark.own_database
async def test_the_events_of_the_version_before_are_about_their_benchmarks(
    database_url: str, database: Database, tables: Tables
) -> None:
    """Those of benchmarks that are gone lose the name."""
    numbers = [await stopped(tables) for _ in range(2)]
    await asyncio.to_thread(downgrade, database_url, "0015")
    async with database.write() as session:
        await session.execute(text(f"DELETE FROM benchmarks WHERE id = {numbers[1]}"))
    await asyncio.to_thread(upgrade, database_url)
    found = sorted(await budget_events(database), key=lambda event: event[1])
    assert found == [(SECRET, numbers[0]), (f"benchmark {numbers[1]}", numbers[1])]
