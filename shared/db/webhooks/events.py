"""Events. Each is written in the transaction of the change that it reports, with a delivery for each endpoint."""

import uuid
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.money import Cap
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookDelivery, WebhookEndpoint, WebhookEvent, chosen_events
from shared.db.webhooks.lanes import lane_of
from shared.webhooks.budget_data import budget_data
from shared.webhooks.event_data import benchmark_data, event_of


async def tell_of(session: AsyncSession, benchmark: Benchmark, public_url: str | None) -> None:
    """Records the event for the status that this transaction just set. The transaction holds the benchmark's row."""
    event_type = event_of(benchmark.status)
    # A benchmark starts once. One that ended before its start has only one event.
    sequence = 1 if benchmark.status == "running" or benchmark.started_at is None else 2
    data = benchmark_data(benchmark, sequence, public_url)
    event_id = await _add(session, event_type, benchmark.id, sequence, data)
    await _deliver_to_listeners(session, event_id, event_type, benchmark)


async def tell_of_start(session: AsyncSession, benchmark: Benchmark, public_url: str | None) -> None:
    """Like `tell_of`, for a benchmark that a worker claims to run it. Only the first of these claims is its start.

    It may have an earlier claim, by a worker that was to fail it and died.
    """
    told = select(WebhookEvent.id).where(WebhookEvent.benchmark_id == benchmark.id, WebhookEvent.sequence == 1)
    if benchmark.fence == 1 or await session.scalar(told) is None:
        await tell_of(session, benchmark, public_url)


async def _deliver_to_listeners(session: AsyncSession, event_id: str, event_type: str, benchmark: Benchmark) -> None:
    listening = await session.execute(
        select(WebhookEndpoint.id, WebhookEndpoint.owner, WebhookEndpoint.events, WebhookEndpoint.owner_events)
        .where(
            or_(WebhookEndpoint.benchmark_id.is_(None), WebhookEndpoint.benchmark_id == benchmark.id),
            WebhookEndpoint.owner == benchmark.owner,
            WebhookEndpoint.enabled,
        )
        # If an endpoint is being deleted, wait until it is gone. Otherwise its delivery would fail this transaction.
        .with_for_update(read=True, key_share=True)
    )
    for endpoint_id, owner, events, owner_events in listening:
        chosen = chosen_events(owner, events, owner_events)
        if chosen is None or event_type in chosen:
            await deliver(session, event_id, endpoint_id)


async def tell_of_budget(session: AsyncSession, cap: Cap, benchmark: Benchmark, public_url: str | None) -> None:
    """Records that a cap is reached, for its owner's endpoints and that of the benchmark that it has stopped."""
    # It is no event of the benchmark, whose own are numbered and go when it is deleted.
    data = budget_data(cap, benchmark, public_url)
    event_id = await _add(session, "budget.reached", None, 1, data, about=benchmark.id)
    await _deliver_to_listeners(session, event_id, "budget.reached", benchmark)


async def tell_of_test(session: AsyncSession, endpoint_id: int) -> int:
    """Records a test event for one endpoint; returns the delivery's id."""
    data = {"sequence": 1, "message": "This is a test. Your endpoint works if it answers 2xx."}
    event_id = await _add(session, "webhook.test", None, 1, data)
    return await deliver(session, event_id, endpoint_id)


async def deliver(session: AsyncSession, event_id: str, endpoint_id: int) -> int:
    """Adds a delivery of an event, due at once; returns the delivery's id."""
    created = await session.execute(
        insert(WebhookDelivery)
        .values(
            event_id=event_id,
            endpoint_id=endpoint_id,
            lane=lane_of(endpoint_id),
            status="pending",
            next_attempt_at=utc_now(),
            created_at=utc_now(),
        )
        .returning(WebhookDelivery.id)
    )
    delivery_id: int = created.scalar_one()
    return delivery_id


async def _add(
    session: AsyncSession,
    event_type: str,
    benchmark_id: int | None,
    sequence: int,
    data: dict[str, Any],
    *,
    about: int | None = None,
) -> str:
    """`about`: the benchmark that the event names, if it is not its own."""
    event_id = f"msg_{uuid.uuid4().hex}"
    values = {"id": event_id, "type": event_type, "benchmark_id": benchmark_id, "sequence": sequence, "data": data}
    await session.execute(insert(WebhookEvent).values(**values, about_benchmark_id=about, created_at=utc_now()))
    return event_id
