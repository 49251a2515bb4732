"""Attempts: what a worker claimed without knowing it is given back, and what an attempt changes when it has ended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import LOCAL
from shared.db.connection.database import Database
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookEndpoint
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository, Due
from shared.db.webhooks.delivery_history import DeliveryHistory
from shared.db.webhooks.endpoints import WebhookRepository
from shared.errors import Unavailable
from shared.webhooks.message import DISABLE_AFTER_S, NewEndpoint

OLD, NEW = "http://old.test/", "http://new.test/"
SUCCEEDED = Attempt(succeeded=True, duration_ms=1, status_code=204)
FAILED = Attempt(succeeded=False, duration_ms=1, status_code=500, wait_s=300)
LAST = Attempt(succeeded=False, duration_ms=1, status_code=500)
GONE = Attempt(succeeded=False, duration_ms=1, status_code=410, wait_s=5, gone=True)


class FailingDatabase(Database):
    """The next `failing` transactions fail at their commit."""

    failing = 0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        async with super().write() as session:
            yield session
            if self.failing:
                self.failing -= 1
                raise Unavailable("the database does not answer")


async def test_a_worker_whose_claim_failed_does_not_give_back_the_attempt_of_another(
    database_url: str, database: Database
) -> None:
    endpoint_id = (await WebhookRepository(LOCAL, database).add(NewEndpoint("http://a.test/", None, ["sealed"]))).id
    await WebhookRepository(LOCAL, database).test(endpoint_id)
    failing = FailingDatabase(database_url)
    one, other = DeliveryRepository(failing), DeliveryRepository(database)
    # The claim fails, and so does the first try to give it back.
    failing.failing = 2
    with pytest.raises(Unavailable):
        await one.claim(1)
    (due,) = await other.claim(1)
    await one.give_back_lost()
    assert await one.claim(1) == []
    await other.settle(due, Attempt(succeeded=True, duration_ms=1, status_code=204))
    (kept,) = await DeliveryHistory(LOCAL, database).page(
        endpoint_id=endpoint_id, benchmark_id=None, before_id=None, limit=1
    )
    assert (kept.delivery.status, [item.status_code for item in kept.attempts]) == ("delivered", [204])
    await failing.close()


async def claimed(database: Database, failing_s: float | None = None) -> Due:
    """An attempt at the old URL. `failing_s`: since when all attempts at it have failed."""
    endpoints = WebhookRepository(LOCAL, database)
    endpoint_id = (await endpoints.add(NewEndpoint(OLD, None, ["sealed"]))).id
    if failing_s is not None:
        async with database.write() as session:
            await session.execute(update(WebhookEndpoint).values(failing_since=utc_now(-failing_s)))
    await endpoints.test(endpoint_id)
    (due,) = await DeliveryRepository(database).claim(1)
    return due


@pytest.mark.parametrize("attempt", [FAILED, LAST, GONE], ids=["failed", "last", "gone"])
async def test_an_attempt_that_failed_at_the_old_url_is_made_at_the_new_one_and_says_nothing_about_it(
    database: Database, attempt: Attempt
) -> None:
    endpoints, deliveries = WebhookRepository(LOCAL, database), DeliveryRepository(database)
    due = await claimed(database)
    await endpoints.change(due.endpoint_id, {"url": NEW})
    await deliveries.settle(due, attempt)
    endpoint = await endpoints.get(due.endpoint_id)
    assert (endpoint.enabled, endpoint.disabled_reason, endpoint.failing_since) == (True, None, None)
    (again,) = await deliveries.claim(1)
    assert (again.delivery_id, again.url, again.step) == (due.delivery_id, NEW, due.step)
    (kept,) = await DeliveryHistory(LOCAL, database).page(
        endpoint_id=due.endpoint_id, benchmark_id=None, before_id=None, limit=1
    )
    assert [(item.url, item.status_code) for item in kept.attempts] == [(OLD, attempt.status_code), (NEW, None)]


async def test_what_the_old_url_accepted_is_delivered_and_says_nothing_about_the_new_one(database: Database) -> None:
    endpoints, deliveries = WebhookRepository(LOCAL, database), DeliveryRepository(database)
    at_old = await claimed(database)
    await endpoints.change(at_old.endpoint_id, {"url": NEW})
    await endpoints.test(at_old.endpoint_id)
    (at_new,) = await deliveries.claim(1)
    await deliveries.settle(at_new, FAILED)
    await deliveries.settle(at_old, SUCCEEDED)
    assert (await endpoints.get(at_old.endpoint_id)).failing_since is not None
    assert await deliveries.claim(1) == []


async def test_another_url_forgets_how_long_the_old_one_has_failed(database: Database) -> None:
    """Else one failure of the new one would disable it."""
    endpoints, deliveries = WebhookRepository(LOCAL, database), DeliveryRepository(database)
    due = await claimed(database, failing_s=DISABLE_AFTER_S - 60)
    await endpoints.change(due.endpoint_id, {"url": OLD, "description": "the same"})
    assert (await endpoints.get(due.endpoint_id)).failing_since is not None
    await endpoints.change(due.endpoint_id, {"url": NEW})
    assert (await endpoints.get(due.endpoint_id)).failing_since is None
    await deliveries.settle(due, FAILED)
    assert (await endpoints.get(due.endpoint_id)).failing_since is None


async def test_an_answer_410_does_not_hide_who_disabled_the_endpoint(database: Database) -> None:
    endpoints = WebhookRepository(LOCAL, database)
    due = await claimed(database)
    await endpoints.change(due.endpoint_id, {"enabled": False})
    await DeliveryRepository(database).settle(due, GONE)
    assert (await endpoints.get(due.endpoint_id)).disabled_reason == "by PATCH"
