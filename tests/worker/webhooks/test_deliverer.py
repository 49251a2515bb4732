"""Deliveries that are due: attempted, settled, tried again by the schedule, and ended."""

import asyncio

from sqlalchemy import update

from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookEndpoint
from shared.db.webhooks.lanes import IN_ONE_LANE
from shared.webhooks.message import SCHEDULE_S, new_secret
from tests.support.servers.receiver import after, in_turn, receiver, status
from tests.worker.webhooks.conftest import Delivering
from worker.webhooks.sender import TIMEOUT_S


async def test_a_failing_receiver_gets_the_same_id_again_and_is_forgiven(delivering: Delivering) -> None:
    async with receiver(in_turn(status(500), status(500), status(500), status(200))) as hooks:
        endpoint_id, secret = await delivering.register(hooks.url)
        await delivering.test(endpoint_id)
        for _ in range(3):
            found = await delivering.attempted()
            assert found.delivery.status == "pending"
            assert found.attempts[-1].next_attempt_at == found.delivery.next_attempt_at
            assert (await delivering.endpoint(endpoint_id)).failing_since is not None
            await delivering.make_due()
        found = await delivering.attempted()
    assert (found.delivery.status, len(found.attempts)) == ("delivered", 4)
    assert found.delivery.delivered_at is not None
    assert {request.headers["webhook-id"] for request in hooks.received} == {found.event.id}
    assert {request.body for request in hooks.received} == {hooks.received[0].body}
    for request in hooks.received:
        assert request.verified(secret)["type"] == "webhook.test"
    endpoint = await delivering.endpoint(endpoint_id)
    assert (endpoint.failing_since, endpoint.enabled) == (None, True)


async def test_the_last_attempt_of_the_schedule_is_the_last(delivering: Delivering) -> None:
    async with receiver(status(503)) as hooks:
        endpoint_id, _ = await delivering.register(hooks.url)
        delivery_id = await delivering.test(endpoint_id)
        for _ in range(len(SCHEDULE_S) - 1):
            await delivering.attempted()
            await delivering.make_due()
        found = await delivering.attempted()
        assert (found.delivery.status, found.delivery.next_attempt_at) == ("failed", None)
        hooks.answer = status(200)
        await delivering.redeliver(delivery_id)
        found = await delivering.attempted()
    assert (found.delivery.status, len(found.attempts)) == ("delivered", len(SCHEDULE_S) + 1)
    assert {request.headers["webhook-id"] for request in hooks.received} == {found.event.id}
    assert int(hooks.received[-1].headers["webhook-timestamp"]) >= int(hooks.received[0].headers["webhook-timestamp"])


async def test_gone_disables_and_what_is_due_waits_until_it_is_enabled_again(delivering: Delivering) -> None:
    async with receiver(in_turn(status(410), status(200))) as hooks:
        endpoint_id, _ = await delivering.register(hooks.url)
        await delivering.test(endpoint_id)
        found = await delivering.attempted()
        assert found.delivery.status == "pending"
        endpoint = await delivering.endpoint(endpoint_id)
        assert (endpoint.enabled, endpoint.disabled_reason) == (False, "it answered 410 Gone")
        await delivering.make_due()
        assert await delivering.deliveries.claim(1) == [], "what is due waits"
        await delivering.endpoints.change(endpoint_id, {"enabled": True})
        delivering.deliverer.ring()
        found = await delivering.attempted()
        assert found.delivery.status == "delivered"


async def test_days_of_failure_disable_and_say_so(delivering: Delivering) -> None:
    async with receiver(status(500)) as hooks:
        endpoint_id, _ = await delivering.register(hooks.url)
        for days, enabled in ((4.9, True), (5.1, False)):
            async with delivering.database.write() as session:
                await session.execute(update(WebhookEndpoint).values(failing_since=utc_now(-days * 86_400)))
            await delivering.test(endpoint_id)
            await delivering.attempted()
            endpoint = await delivering.endpoint(endpoint_id)
            assert endpoint.enabled is enabled
    assert endpoint.disabled_reason == "no delivery has succeeded for 5 days"


async def test_after_a_rotation_both_secrets_verify(delivering: Delivering) -> None:
    async with receiver() as hooks:
        endpoint_id, first = await delivering.register(hooks.url)
        second = new_secret()
        await delivering.endpoints.rotate(endpoint_id, delivering.box.seal(second))
        await delivering.test(endpoint_id)
        await delivering.attempted()
        for secret in (first, second):
            assert hooks.received[0].verified(secret)["type"] == "webhook.test"
        await delivering.endpoints.rotate(endpoint_id, delivering.box.seal(new_secret()))
        await delivering.test(endpoint_id)
        await delivering.attempted()
    assert hooks.received[1].verified(second)["type"] == "webhook.test"
    assert len(hooks.received[1].headers["webhook-signature"].split(" ")) == 2, "the last two, no more"


async def test_a_redelivery_asked_for_during_an_attempt_is_made_after_it(delivering: Delivering) -> None:
    asked = asyncio.Event()
    async with receiver(in_turn(after(asked, status(500)), status(204))) as hooks:
        endpoint_id, _ = await delivering.register(hooks.url)
        delivery_id = await delivering.test(endpoint_id)
        await hooks.has(1)
        await delivering.redeliver(delivery_id)
        asked.set()
        await delivering.attempted()
        found = await delivering.attempted()
    assert found.delivery.status == "delivered"
    assert [attempt.status_code for attempt in found.attempts] == [500, 204]


async def test_a_hanging_receiver_holds_up_no_other(delivering: Delivering) -> None:
    released = asyncio.Event()
    async with receiver(after(released, status(204))) as slow, receiver() as fast:
        held, free = [(await delivering.register(hooks.url))[0] for hooks in (slow, fast)]
        for endpoint_id in (held, free) * 12:
            await delivering.endpoints.test(endpoint_id)
        delivering.deliverer.ring()
        # Nothing of the slow one has ended yet: an attempt at it takes its whole time.
        async with asyncio.timeout(TIMEOUT_S):
            attempts = [await delivering.settled_attempts.queue.get() for _ in range(12)]
        assert all(attempt.succeeded for attempt in attempts)
        assert len(fast.received) == 12
        assert len(slow.received) <= IN_ONE_LANE
        released.set()
