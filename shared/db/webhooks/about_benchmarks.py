"""Events about a benchmark that are not its own, such as `budget.reached`: they outlive it, but not with its name."""

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.benchmark.without_texts import name_without_text
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.webhooks import WebhookAttempt, WebhookDelivery, WebhookEvent, is_pending


async def forget_name(session: AsyncSession, benchmark_id: int) -> None:
    """Deletes a benchmark's name from the events about it, and what receivers answered, which may repeat it.

    What is on its way still arrives, without the name.
    """
    about = WebhookEvent.about_benchmark_id == benchmark_id
    events = (await session.execute(select(WebhookEvent.id, WebhookEvent.data).where(about))).all()
    for event_id, data in events:
        nameless = {**data["benchmark"], "name": name_without_text(benchmark_id)}
        await session.execute(
            update(WebhookEvent).where(WebhookEvent.id == event_id).values(data={**data, "benchmark": nameless}),
            execution_options={"synchronize_session": False},
        )
        deliveries = select(WebhookDelivery.id).where(WebhookDelivery.event_id == event_id)
        await session.execute(
            update(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(deliveries)).values(response=None),
            execution_options={"synchronize_session": False},
        )


async def delete_orphans(session: AsyncSession, limit: int) -> int:
    """Deletes up to `limit` events about benchmarks that are gone, with their deliveries. Returns how many.

    What is on its way to a webhook stays until it has arrived or failed.
    """
    there = exists().where(Benchmark.id == WebhookEvent.about_benchmark_id)
    pending = exists().where(WebhookDelivery.event_id == WebhookEvent.id, is_pending())
    orphans = select(WebhookEvent.id).where(WebhookEvent.about_benchmark_id.is_not(None), ~there, ~pending)
    deleted = await session.execute(
        delete(WebhookEvent).where(WebhookEvent.id.in_(orphans.limit(limit).scalar_subquery())),
        execution_options={"synchronize_session": False},
    )
    return int(deleted.rowcount)  # type: ignore[attr-defined]
