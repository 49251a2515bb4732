"""A deliverer over a real database, with a signing key, that may send to this machine."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import update

from shared.access.caller import LOCAL
from shared.clock import SystemClock
from shared.db.connection.database import Database
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookDelivery, WebhookEndpoint
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository
from shared.db.webhooks.delivery_history import DeliveryHistory, DeliveryOfEvent
from shared.db.webhooks.endpoints import WebhookRepository
from shared.network.ssrf import SsrfGuard
from shared.program.tasks import end
from shared.webhooks.message import NewEndpoint, new_secret
from shared.webhooks.secret_box import SecretBox
from tests.support.servers.receiver import LOOPBACK
from tests.support.waiting import PATIENCE_S
from tests.worker.webhooks.sending import BOX
from worker.monitoring import WorkerMonitor
from worker.webhooks.deliverer import Deliverer
from worker.webhooks.sender import Sender


class SettledAttempts(WorkerMonitor):
    """Hears of each attempt once it is stored."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.queue: asyncio.Queue[Attempt] = asyncio.Queue()

    def webhook_attempted(self, attempt: Attempt) -> None:
        super().webhook_attempted(attempt)
        self.queue.put_nowait(attempt)


@dataclass
class Delivering:
    """What the API would do with the rows, beside the deliverer that works on them."""

    database: Database
    deliverer: Deliverer
    settled_attempts: SettledAttempts
    box: SecretBox = field(default=BOX)

    def __post_init__(self) -> None:
        self.endpoints = WebhookRepository(LOCAL, self.database)
        self.deliveries = DeliveryRepository(self.database)
        self.history = DeliveryHistory(LOCAL, self.database)

    async def register(self, url: str) -> tuple[int, str]:
        """Id and secret of a new endpoint for all events."""
        secret = new_secret()
        endpoint = await self.endpoints.add(NewEndpoint(url, None, [self.box.seal(secret)]))
        return endpoint.id, secret

    async def test(self, endpoint_id: int) -> int:
        """Sends a test event; returns the delivery's id."""
        delivery_id = await self.endpoints.test(endpoint_id)
        self.deliverer.ring()
        return delivery_id

    async def redeliver(self, delivery_id: int) -> None:
        await self.history.redeliver(delivery_id)
        self.deliverer.ring()

    async def make_due(self) -> None:
        """What waits for its next attempt gets it now."""
        async with self.database.write() as session:
            await session.execute(
                update(WebhookDelivery).where(WebhookDelivery.status == "pending").values(next_attempt_at=utc_now())
            )
        self.deliverer.ring()

    async def attempted(self) -> DeliveryOfEvent:
        """The newest delivery, once one more attempt is stored."""
        async with asyncio.timeout(PATIENCE_S):
            await self.settled_attempts.queue.get()
        return (await self.history.page(endpoint_id=None, benchmark_id=None, before_id=None, limit=1))[0]

    async def endpoint(self, endpoint_id: int) -> WebhookEndpoint:
        return await self.endpoints.get(endpoint_id)


@pytest.fixture
async def delivering(database: Database) -> AsyncIterator[Delivering]:
    settled = SettledAttempts(database)
    sender = Sender(SsrfGuard(LOOPBACK), BOX, SystemClock(), lambda: 0)
    deliverer = Deliverer(DeliveryRepository(database), sender, settled, look_every_s=3_600)
    running = asyncio.create_task(deliverer.run())
    yield Delivering(database, deliverer, settled)
    await end(running)
    await deliverer.stop()
