"""Deliveries as the API needs them: it lists them with their attempts, and repeats one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from shared.access.caller import Caller
from shared.db.access.audit import record
from shared.db.access.owned import of_owner, owned_by, owns, sees
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from shared.db.webhooks.deliveries import joined
from shared.db.webhooks.lanes import clear_lanes
from shared.errors import NotFound

# Beside the endpoint that a statement joins.
_OTHER = aliased(WebhookEndpoint)


@dataclass(frozen=True, slots=True)
class DeliveryOfEvent:
    """A delivery with its event, its endpoint and its attempts, first to last."""

    delivery: WebhookDelivery
    event: WebhookEvent
    endpoint: WebhookEndpoint
    attempts: Sequence[WebhookAttempt]


@tries_again
class DeliveryHistory:
    """The deliveries that were made or are to be made."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def page(
        self, *, endpoint_id: int | None, benchmark_id: int | None, before_id: int | None, limit: int
    ) -> list[DeliveryOfEvent]:
        """Deliveries of a registered endpoint or of a benchmark, newest first, with ids below `before_id`."""
        query = joined()
        if endpoint_id is not None:
            query = query.where(WebhookDelivery.endpoint_id == endpoint_id)
            if not self._caller.sees_all:
                query = query.where(_is_of(self._caller, endpoint_id))
        if benchmark_id is not None:
            of_benchmark = select(WebhookEvent.id).where(WebhookEvent.benchmark_id == benchmark_id)
            query = query.where(WebhookDelivery.event_id.in_(of_benchmark), sees(self._caller, benchmark_id))
        if endpoint_id is None and benchmark_id is None:
            query = query.where(of_owner(self._caller, WebhookEndpoint.owner))
        if before_id is not None:
            query = query.where(WebhookDelivery.id < before_id)
        async with self._database.read() as session:
            rows = (await session.execute(query.order_by(WebhookDelivery.id.desc()).limit(limit))).all()
            return await _with_attempts(session, rows)

    async def redeliver(
        self, delivery_id: int, *, endpoint_id: int | None = None, benchmark_id: int | None = None
    ) -> DeliveryOfEvent:
        """Makes a delivery due at once and restarts its schedule.

        This also enables a benchmark's own endpoint if it was disabled, because nothing else can. Raises NotFound if
        the endpoint or the benchmark has no such delivery.
        """
        wanted = joined().where(WebhookDelivery.id == delivery_id)
        if endpoint_id is not None:
            wanted = wanted.where(WebhookDelivery.endpoint_id == endpoint_id, _is_of(self._caller, endpoint_id))
        if benchmark_id is not None:
            wanted = wanted.where(WebhookEvent.benchmark_id == benchmark_id, owns(self._caller, benchmark_id))
        if endpoint_id is None and benchmark_id is None:
            wanted = wanted.where(owned_by(self._caller, WebhookEndpoint.owner))
        # As in `settle` and in deletions: the endpoint first, then the delivery.
        endpoint_of = wanted.with_only_columns(WebhookEndpoint.id).with_for_update(of=WebhookEndpoint)
        async with self._database.write() as session:
            await session.execute(endpoint_of)
            await session.execute(
                update(WebhookDelivery)
                .where(WebhookDelivery.id.in_(wanted.with_only_columns(WebhookDelivery.id)))
                .values(status="pending", step=0, next_attempt_at=utc_now(), delivered_at=None, lane=None),
                execution_options={"synchronize_session": False},
            )
            # A registered endpoint stays as it is, and so do the lanes of its other deliveries.
            own = and_(
                WebhookEndpoint.id.in_(wanted.with_only_columns(WebhookEndpoint.id)),
                WebhookEndpoint.benchmark_id.is_not(None),
            )
            await session.execute(
                update(WebhookEndpoint).where(own).values(enabled=True, disabled_reason=None, failing_since=None),
                execution_options={"synchronize_session": False},
            )
            await clear_lanes(session, own)
            rows = (await session.execute(wanted.execution_options(populate_existing=True))).all()
            if not rows:
                raise NotFound(f"there is no such delivery {delivery_id}")
            details = {"benchmark_id": rows[0][1].benchmark_id}
            await record(session, self._caller, "webhook.redelivered", "delivery", delivery_id, details)
            return (await _with_attempts(session, rows))[0]


def _is_of(caller: Caller, endpoint_id: int) -> ColumnElement[bool]:
    """Whether an endpoint belongs to the caller's owner. Looked up once for a statement."""
    return select(_OTHER.id).where(_OTHER.id == endpoint_id, _OTHER.owner == caller.owner).exists()


async def _with_attempts(session: AsyncSession, rows: Sequence[Any]) -> list[DeliveryOfEvent]:
    ids = [delivery.id for delivery, _, _ in rows]
    query = select(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(ids)).order_by(WebhookAttempt.number)
    of: dict[int, list[WebhookAttempt]] = {number: [] for number in ids}
    for attempt in await session.scalars(query):
        of[attempt.delivery_id].append(attempt)
    return [DeliveryOfEvent(delivery, event, endpoint, of[delivery.id]) for delivery, event, endpoint in rows]
