"""Deliveries as a worker needs them: it claims one for each attempt and stores how the attempt ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.connection.again import tries_again
from shared.db.connection.clock import read_now
from shared.db.connection.database import Database
from shared.db.runs.hand_over import HandOver
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    is_pending,
    is_waiting,
)
from shared.db.webhooks.lanes import LaneReader, is_due, set_missing_lanes, unclaimed
from shared.webhooks.message import DISABLE_AFTER_S

# An attempt takes at most 15 s. If it is not settled when the lease ends, its worker has died.
LEASE_S = 45
# How often a claim chooses again because another worker took what it chose.
TRIES = 3


@dataclass(frozen=True, slots=True)
class Due:
    """One attempt to make. `secrets`: sealed, with the instant at which they expire; `step`: failures before it.

    `leased_until`: when another worker may make the next attempt. It tells attempts of the same number apart.
    """

    delivery_id: int
    endpoint_id: int
    number: int
    step: int
    url: str
    secrets: Sequence[tuple[str, datetime | None]]
    event_id: str
    event_type: str
    event_at: datetime
    due_at: datetime | None
    leased_until: datetime | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended. `wait_s`: seconds until the next one; None if it succeeded or was the last."""

    succeeded: bool
    duration_ms: float
    status_code: int | None = None
    error: str | None = None
    response: str | None = None
    wait_s: float | None = None
    # The receiver answered that it wants no more events.
    gone: bool = False


@tries_again
class DeliveryRepository:
    """Rows of `webhook_deliveries` and `webhook_attempts`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lanes = LaneReader()
        self._hand_over = HandOver(self._not_begun)

    async def claim(self, limit: int) -> list[Due]:
        """Claims up to `limit` deliveries that are due, each for one attempt, and stores that the attempt has begun."""
        return await self._hand_over.of(lambda taken: self._claim(limit, taken))

    async def give_back_lost(self) -> None:
        """Gives back attempts that a cancelled or broken `claim` may have taken. Raises Unavailable."""
        await self._hand_over.give_back()

    async def _not_begun(self, due: Due) -> None:
        """Deletes an attempt that nobody makes.

        If it was not stored, another worker's attempt may have the same number, but hardly the same lease.
        """
        async with self._database.write() as session:
            dropped = await session.execute(
                update(WebhookDelivery)
                .where(
                    WebhookDelivery.id == due.delivery_id,
                    WebhookDelivery.attempts == due.number,
                    WebhookDelivery.lease_expires_at == due.leased_until,
                )
                .values(lease_expires_at=None, attempts=due.number - 1)
                .returning(WebhookDelivery.id)
            )
            if dropped.scalar_one_or_none() is not None:
                attempt = and_(WebhookAttempt.delivery_id == due.delivery_id, WebhookAttempt.number == due.number)
                await session.execute(delete(WebhookAttempt).where(attempt))

    async def _claim(self, limit: int, claimed: list[Due]) -> list[Due]:
        """`claimed` gets the attempts before the commit."""
        missing = exists().where(is_pending(), WebhookDelivery.lane.is_(None))
        async with self._database.read() as session:
            # In the order of an index, which ends at what is not due yet.
            first = select(WebhookDelivery.id).where(is_due()).order_by(WebhookDelivery.next_attempt_at).limit(1)
            if await session.scalar(first) is None and not await session.scalar(select(missing)):
                return []
        async with self._database.write() as session:
            if await session.scalar(select(missing)):
                await set_missing_lanes(session)
            ids = await self._take(session, limit)
            if not ids:
                return []
            await session.execute(
                update(WebhookDelivery)
                .where(WebhookDelivery.id.in_(ids))
                .values(lease_expires_at=utc_now(LEASE_S), attempts=WebhookDelivery.attempts + 1),
                execution_options={"synchronize_session": False},
            )
            rows = (await session.execute(joined().where(WebhookDelivery.id.in_(ids)))).all()
            now = await read_now(session)
            await session.execute(
                insert(WebhookAttempt),
                [
                    {
                        "delivery_id": delivery.id,
                        "number": delivery.attempts,
                        "url": endpoint.url,
                        "attempted_at": now,
                    }
                    for delivery, _, endpoint in rows
                ],
            )
            claimed += [_due(delivery, event, endpoint) for delivery, event, endpoint in rows]
        return claimed

    async def _take(self, session: AsyncSession, limit: int) -> Sequence[int]:
        """Locks due deliveries and returns their ids."""
        passed: set[int] = set()
        for _ in range(TRIES):
            chosen = await self._lanes.choose(session, limit, passed)
            if not chosen:
                break
            # Lock the rows first, then change them: inside one UPDATE the LIMIT could be evaluated more than once.
            locked = select(WebhookDelivery.id).where(WebhookDelivery.id.in_(chosen), is_due())
            ids = (await session.scalars(locked.with_for_update(skip_locked=True))).all()
            if ids:
                return ids
            # Another worker has just taken all of them.
            passed.update(chosen)
        return []

    async def settle(self, due: Due, attempt: Attempt) -> None:
        """Stores how an attempt ended.

        If its lease lapsed and another worker has claimed the delivery, only the attempt's own row changes. If a
        redelivery was requested meanwhile, the delivery stays due for that. If the endpoint has another URL by now, how
        the old one answered says nothing about it: a delivery that failed is due at once, at the new one.
        """
        mine = and_(
            WebhookDelivery.id == due.delivery_id,
            WebhookDelivery.attempts == due.number,
            WebhookDelivery.status == "pending",
        )
        async with self._database.write() as session:
            # Lock the endpoint, then the delivery, then the attempt, in the same order as a deletion.
            locked = select(WebhookEndpoint.url).where(WebhookEndpoint.id == due.endpoint_id).with_for_update()
            url = await session.scalar(locked)
            if url is None:
                return
            counts = attempt.succeeded or url == due.url
            wait_s = attempt.wait_s if counts else 0
            next_at: datetime | None = None
            if wait_s is not None:
                next_at = (await session.execute(select(utc_now(wait_s)))).scalar_one()
            status = "delivered" if attempt.succeeded else "failed" if wait_s is None else "pending"
            settled = await session.execute(
                update(WebhookDelivery)
                .where(mine, WebhookDelivery.step == due.step, WebhookDelivery.next_attempt_at == due.due_at)
                .values(
                    status=status,
                    step=due.step + (counts and not attempt.succeeded),
                    next_attempt_at=next_at,
                    lease_expires_at=None,
                    delivered_at=utc_now() if attempt.succeeded else None,
                )
                .returning(WebhookDelivery.id)
            )
            if settled.scalar_one_or_none() is not None:
                same = and_(WebhookEndpoint.id == due.endpoint_id, WebhookEndpoint.url == due.url)
                await session.execute(update(WebhookEndpoint).where(same).values(**_standing(attempt)))
            else:
                await session.execute(update(WebhookDelivery).where(mine).values(lease_expires_at=None))
            await session.execute(
                update(WebhookAttempt)
                .where(WebhookAttempt.delivery_id == due.delivery_id, WebhookAttempt.number == due.number)
                .values(
                    status_code=attempt.status_code,
                    duration_ms=attempt.duration_ms,
                    error=attempt.error,
                    response=attempt.response,
                    next_attempt_at=next_at,
                )
            )

    async def give_back(self, due: Due) -> None:
        """Gives back an attempt that this worker's end cut off. Another worker repeats it at once."""
        async with self._database.write() as session:
            await session.execute(
                update(WebhookDelivery)
                .where(WebhookDelivery.id == due.delivery_id, WebhookDelivery.attempts == due.number)
                .values(lease_expires_at=None)
            )

    async def next_due_s(self) -> float | None:
        """Seconds until the next attempt is due; None if no delivery is open."""
        query = (
            select(WebhookDelivery.next_attempt_at, utc_now())
            .where(is_waiting(), unclaimed())
            .order_by(WebhookDelivery.next_attempt_at)
            .limit(1)
        )
        async with self._database.read() as session:
            row = (await session.execute(query)).one_or_none()
        if row is None or row[0] is None:
            return None
        return max(0.0, (row[0] - row[1]).total_seconds())


def joined() -> Any:
    """Selects deliveries, each with its event and its endpoint."""
    return (
        select(WebhookDelivery, WebhookEvent, WebhookEndpoint)
        .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
    )


def _standing(attempt: Attempt) -> dict[str, Any]:
    """The endpoint's columns after an attempt: a success clears `failing_since`, a failure sets it or disables it."""
    if attempt.succeeded:
        return {"failing_since": None}
    if attempt.gone:
        # If it was disabled before, the reason of that stays.
        reason = case((WebhookEndpoint.enabled, "it answered 410 Gone"), else_=WebhookEndpoint.disabled_reason)
        return {"enabled": False, "disabled_reason": reason}
    failing_long = and_(WebhookEndpoint.enabled, WebhookEndpoint.failing_since < utc_now(-DISABLE_AFTER_S))
    days = DISABLE_AFTER_S // 86_400
    return {
        "failing_since": func.coalesce(WebhookEndpoint.failing_since, utc_now()),
        "enabled": case((failing_long, False), else_=WebhookEndpoint.enabled),
        "disabled_reason": case(
            (failing_long, f"no delivery has succeeded for {days} days"), else_=WebhookEndpoint.disabled_reason
        ),
    }


def _due(delivery: WebhookDelivery, event: WebhookEvent, endpoint: WebhookEndpoint) -> Due:
    return Due(
        delivery_id=delivery.id,
        endpoint_id=endpoint.id,
        number=delivery.attempts,
        step=delivery.step,
        url=endpoint.url,
        secrets=[
            (item["sealed"], datetime.fromisoformat(item["expires_at"]) if item["expires_at"] else None)
            for item in endpoint.secrets
        ],
        event_id=event.id,
        event_type=event.type,
        event_at=event.created_at,
        due_at=delivery.next_attempt_at,
        leased_until=delivery.lease_expires_at,
        data=event.data,
    )
