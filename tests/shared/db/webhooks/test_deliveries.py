"""What a worker claimed without knowing it is given back, and nothing that another worker has claimed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import LOCAL
from shared.db.connection.database import Database
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository
from shared.db.webhooks.delivery_history import DeliveryHistory
from shared.db.webhooks.endpoints import WebhookRepository
from shared.errors import Unavailable
from shared.webhooks.message import NewEndpoint


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
