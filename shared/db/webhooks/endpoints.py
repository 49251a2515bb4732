"""Webhook endpoints: those registered for all benchmarks of an owner, and the one that a benchmark named for itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.audit import host_of
from shared.access.caller import Caller
from shared.db.access.audit import record
from shared.db.access.owned import of_owner, owned_by, sees
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookDelivery, WebhookEndpoint, WebhookEvent, stored_events
from shared.db.webhooks.events import tell_of_test
from shared.db.webhooks.lanes import clear_lanes
from shared.errors import NotFound
from shared.webhooks.message import ROTATION_S, NewEndpoint


@tries_again
class WebhookRepository:
    """Rows of `webhook_endpoints`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def add(self, new: NewEndpoint) -> WebhookEndpoint:
        """Registers an endpoint for the events of all benchmarks of the owner."""
        async with self._database.write() as session:
            endpoint = await insert_endpoint(session, self._caller, new, None)
            details = {"host": host_of(endpoint.url), "events": new.events}
            await record(session, self._caller, "webhook.created", "webhook", endpoint.id, details)
        return endpoint

    async def page(self, *, before_id: int | None, limit: int) -> Sequence[WebhookEndpoint]:
        """Registered endpoints, newest first, with ids below `before_id`."""
        own = of_owner(self._caller, WebhookEndpoint.owner)
        query = select(WebhookEndpoint).where(WebhookEndpoint.benchmark_id.is_(None), own)
        if before_id is not None:
            query = query.where(WebhookEndpoint.id < before_id)
        async with self._database.read() as session:
            return (await session.scalars(query.order_by(WebhookEndpoint.id.desc()).limit(limit))).all()

    async def get(self, endpoint_id: int) -> WebhookEndpoint:
        """A registered endpoint. Raises NotFound."""
        async with self._database.read() as session:
            return await _registered(session, of_owner(self._caller, WebhookEndpoint.owner), endpoint_id)

    async def of_benchmark(self, benchmark_id: int) -> WebhookEndpoint | None:
        """The endpoint that the benchmark named for itself, if any."""
        seen = and_(WebhookEndpoint.benchmark_id == benchmark_id, sees(self._caller, benchmark_id))
        query = select(WebhookEndpoint).where(seen)
        async with self._database.read() as session:
            return (await session.scalars(query)).one_or_none()

    async def change(self, endpoint_id: int, values: dict[str, Any]) -> WebhookEndpoint:
        """Sets `url`, `events`, `description`, `enabled`. Enabling, or another URL, forgets earlier failures.

        Raises NotFound.
        """
        changed = sorted(values)
        if values.get("enabled"):
            values = {**values, "disabled_reason": None, "failing_since": None}
        elif "enabled" in values:
            values = {**values, "disabled_reason": "by PATCH"}
        if "events" in values:
            values = {**values, **stored_events(self._caller.owner, values["events"])}
        async with self._database.write() as session:
            before = await self._own(session, endpoint_id, lock=True)
            if values.get("url", before.url) != before.url:
                values = {**values, "failing_since": None}
            if values:
                await session.execute(update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).values(**values))
            if "url" in values or values.get("enabled"):
                await clear_lanes(session, WebhookEndpoint.id == endpoint_id)
            endpoint = await self._own(session, endpoint_id)
            if changed:
                details = {"changed": changed, "host": host_of(endpoint.url)}
                await record(session, self._caller, "webhook.changed", "webhook", endpoint_id, details)
        return endpoint

    async def rotate(self, endpoint_id: int, sealed: str) -> datetime:
        """Sets a new secret. The one before signs too for a day; returns when that ends. Raises NotFound."""
        async with self._database.write() as session:
            endpoint = await self._own(session, endpoint_id, lock=True)
            expires_at: datetime = (await session.execute(select(utc_now(ROTATION_S)))).scalar_one()
            # After several rotations within a day, only the last two secrets sign.
            before = {**endpoint.secrets[0], "expires_at": expires_at.isoformat()}
            await session.execute(
                update(WebhookEndpoint)
                .where(WebhookEndpoint.id == endpoint_id)
                .values(secrets=[{"sealed": sealed, "expires_at": None}, before])
            )
            await record(session, self._caller, "webhook.secret_rotated", "webhook", endpoint_id)
        return expires_at

    async def delete(self, endpoint_id: int) -> None:
        """Deletes an endpoint with its deliveries and tests. Raises NotFound."""
        async with self._database.write() as session:
            endpoint = await self._own(session, endpoint_id, lock=True)
            await session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))
            details = {"host": host_of(endpoint.url)}
            await record(session, self._caller, "webhook.deleted", "webhook", endpoint_id, details)
            # A test event belongs to no benchmark, so nothing else would delete it.
            delivered = exists().where(WebhookDelivery.event_id == WebhookEvent.id)
            await session.execute(
                delete(WebhookEvent).where(WebhookEvent.benchmark_id.is_(None), ~delivered),
                execution_options={"synchronize_session": False},
            )

    async def test(self, endpoint_id: int) -> int:
        """Records a test event, due at once; returns the delivery's id. Raises NotFound."""
        async with self._database.write() as session:
            await self._own(session, endpoint_id)
            await record(session, self._caller, "webhook.tested", "webhook", endpoint_id)
            return await tell_of_test(session, endpoint_id)

    async def _own(self, session: AsyncSession, endpoint_id: int, *, lock: bool = False) -> WebhookEndpoint:
        """To be changed."""
        return await _registered(session, owned_by(self._caller, WebhookEndpoint.owner), endpoint_id, lock=lock)


async def insert_endpoint(
    session: AsyncSession, caller: Caller, new: NewEndpoint, benchmark_id: int | None
) -> WebhookEndpoint:
    """Adds an endpoint for one benchmark; `benchmark_id` None: for all of the owner."""
    created = await session.execute(
        insert(WebhookEndpoint)
        .values(
            benchmark_id=benchmark_id,
            url=new.url,
            description=new.description,
            owner=caller.owner,
            **stored_events(caller.owner, new.events),
            secrets=[{"sealed": sealed, "expires_at": None} for sealed in new.sealed],
            created_at=utc_now(),
        )
        .returning(WebhookEndpoint)
    )
    return created.scalar_one()


async def lock_endpoint(session: AsyncSession, benchmark_id: int) -> None:
    """For a deletion of the benchmark: its endpoint is locked before its deliveries, as `settle` does."""
    await session.execute(
        select(WebhookEndpoint.id).where(WebhookEndpoint.benchmark_id == benchmark_id).with_for_update()
    )


async def _registered(
    session: AsyncSession, owned: ColumnElement[bool], endpoint_id: int, *, lock: bool = False
) -> WebhookEndpoint:
    one = and_(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.benchmark_id.is_(None))
    query = select(WebhookEndpoint).where(one, owned)
    if lock:
        query = query.with_for_update()
    endpoint = (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()
    if endpoint is None:
        raise NotFound(f"there is no webhook {endpoint_id}")
    return endpoint
