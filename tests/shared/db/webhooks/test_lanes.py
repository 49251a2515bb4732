"""Claims of deliveries: the oldest first, a few of each URL, however many wait for a receiver that hangs."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from shared.access.caller import LOCAL
from shared.db.connection.database import Database
from shared.db.tables.webhooks import WebhookDelivery
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository, Due
from shared.db.webhooks.delivery_history import DeliveryHistory
from shared.db.webhooks.endpoints import WebhookRepository
from shared.db.webhooks.lanes import IN_ONE_LANE, LANES_USED, WINDOW, LaneReader
from shared.webhooks.message import NewEndpoint
from tests.shared.db.connection.blocked import until_one_waits

DONE = Attempt(succeeded=True, duration_ms=1.0)


class Hooks:
    """Endpoints and their deliveries."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.endpoints = WebhookRepository(LOCAL, database)
        self.deliveries = DeliveryRepository(database)
        self.history = DeliveryHistory(LOCAL, database)

    async def add(self, url: str, deliveries: int) -> int:
        endpoint_id = (await self.endpoints.add(NewEndpoint(url, None, ["sealed"]))).id
        for _ in range(deliveries):
            await self.endpoints.test(endpoint_id)
        return endpoint_id

    async def multiply(self, endpoint_id: int, times: int) -> None:
        """Copies the endpoint's deliveries, which is faster than so many events."""
        names = ("event_id", "endpoint_id", "status", "lane", "attempts", "step", "next_attempt_at", "created_at")
        columns = [WebhookDelivery.__table__.c[name] for name in names]
        for _ in range(times):
            copied = select(*columns).where(WebhookDelivery.endpoint_id == endpoint_id)
            async with self.database.write() as session:
                await session.execute(self.database.insert(WebhookDelivery).from_select(names, copied))

    async def claimed(self, limit: int = 256) -> Counter[str]:
        """How many deliveries of each URL a claim gives."""
        return Counter(due.url for due in await self.deliveries.claim(limit))

    async def lanes(self) -> dict[str | None, int]:
        query = select(WebhookDelivery.lane, func.count()).group_by(WebhookDelivery.lane)
        async with self.database.read() as session:
            return {lane: count for lane, count in await session.execute(query)}  # noqa: C416 - rows are no pairs


@pytest.fixture
def hooks(database: Database) -> Hooks:
    return Hooks(database)


async def test_the_oldest_come_first(hooks: Hooks) -> None:
    await hooks.add("http://a.test/", 3)
    await hooks.add("http://b.test/", 3)
    ids = [due.delivery_id for due in await hooks.deliveries.claim(4)]
    assert sorted(ids) == [1, 2, 3, 4]
    assert sorted(due.delivery_id for due in await hooks.deliveries.claim(9)) == [5, 6]
    assert await hooks.deliveries.claim(9) == []


async def test_a_url_gets_a_few_at_a_time_over_all_its_endpoints(hooks: Hooks) -> None:
    await hooks.add("http://slow.test/", IN_ONE_LANE)
    await hooks.add("http://slow.test/", IN_ONE_LANE)
    first = await hooks.deliveries.claim(256)
    assert len(first) == IN_ONE_LANE
    assert await hooks.deliveries.claim(256) == []
    for due in first[:3]:
        await hooks.deliveries.settle(due, DONE)
    assert await hooks.claimed() == {"http://slow.test/": 3}


async def test_others_are_found_behind_more_than_a_claim_looks_at(hooks: Hooks) -> None:
    slow = await hooks.add("http://slow.test/", 8)
    await hooks.multiply(slow, 7)
    assert (await hooks.lanes())["http://slow.test/"] > 2 * WINDOW
    await hooks.claimed()
    for number in range(LANES_USED + 5):
        await hooks.add(f"http://fast.test/{number:02}", 2)
    found: Counter[str] = Counter()
    while claimed := await hooks.claimed():
        found += claimed
    assert found == {f"http://fast.test/{number:02}": 2 for number in range(LANES_USED + 5)}


async def test_what_waits_for_a_disabled_endpoint_is_put_aside_until_it_is_enabled(hooks: Hooks) -> None:
    off = await hooks.add("http://off.test/", 8)
    await hooks.multiply(off, 6)
    await hooks.endpoints.change(off, {"enabled": False})
    on = await hooks.add("http://on.test/", 1)
    assert await hooks.claimed() == {"http://on.test/": 1}
    # Those in front of it are no longer met.
    assert (await hooks.lanes())[""] >= WINDOW
    await hooks.endpoints.change(off, {"enabled": True})
    assert await hooks.claimed() == {"http://off.test/": IN_ONE_LANE}
    assert "" not in await hooks.lanes()
    assert on != off


class Interrupted:
    """A session. After its second query, which reads the due deliveries, `meanwhile` runs."""

    def __init__(self, session: Any, meanwhile: Callable[[], Awaitable[Any]]) -> None:
        self._session = session
        self._meanwhile = meanwhile
        self._queries = 0

    async def execute(self, *args: Any, **options: Any) -> Any:
        result = await self._session.execute(*args, **options)
        self._queries += 1
        if self._queries == 2:
            await self._meanwhile()
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


# SQLite has one writer at a time, so there nothing happens meanwhile.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_an_endpoint_that_is_enabled_while_a_worker_puts_aside_loses_nothing(hooks: Hooks) -> None:
    endpoint_id = await hooks.add("http://off.test/", 2)
    await hooks.endpoints.change(endpoint_id, {"enabled": False})

    async def enable() -> None:
        await hooks.endpoints.change(endpoint_id, {"enabled": True})

    async with hooks.database.write() as session:
        interrupted: Any = Interrupted(session, enable)
        await LaneReader().choose(interrupted, 8, [])
    assert await hooks.claimed() == {"http://off.test/": 2}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_enabling_waits_for_a_worker_that_has_put_aside(hooks: Hooks) -> None:
    endpoint_id = await hooks.add("http://off.test/", 2)
    await hooks.endpoints.change(endpoint_id, {"enabled": False})
    async with hooks.database.write() as session:
        assert await LaneReader().choose(session, 8, []) == []
        enabling = asyncio.create_task(hooks.endpoints.change(endpoint_id, {"enabled": True}))
        await until_one_waits(hooks.database)
    assert (await enabling).enabled
    assert await hooks.claimed() == {"http://off.test/": 2}


async def test_a_changed_url_changes_the_lane(hooks: Hooks) -> None:
    endpoint_id = await hooks.add("http://old.test/", 3)
    await hooks.endpoints.change(endpoint_id, {"url": "http://new.test/"})
    assert await hooks.claimed() == {"http://new.test/": 3}
    assert await hooks.lanes() == {"http://new.test/": 3}


async def test_a_delivery_of_an_older_version_gets_a_lane(hooks: Hooks) -> None:
    await hooks.add("http://a.test/", 2)
    async with hooks.database.write() as session:
        await session.execute(update(WebhookDelivery).values(lane=None))
    assert await hooks.claimed() == {"http://a.test/": 2}
    assert await hooks.lanes() == {"http://a.test/": 2}


async def test_a_redelivery_is_due_whatever_its_lane(hooks: Hooks) -> None:
    await hooks.add("http://a.test/", 1)
    (due,) = await hooks.deliveries.claim(1)
    await hooks.deliveries.settle(due, DONE)
    await hooks.history.redeliver(due.delivery_id)
    again: list[Due] = await hooks.deliveries.claim(1)
    assert [item.delivery_id for item in again] == [due.delivery_id]


async def test_a_redelivery_leaves_the_other_deliveries_of_a_registered_endpoint_alone(hooks: Hooks) -> None:
    await hooks.add("http://a.test/", 5)
    (due,) = await hooks.deliveries.claim(1)
    await hooks.deliveries.settle(due, DONE)
    await hooks.history.redeliver(due.delivery_id)
    assert await hooks.lanes() == {"http://a.test/": 4, None: 1}
