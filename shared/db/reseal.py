"""Encrypts the stored webhook secrets with the newest key. For `llmbench webhooks reseal`."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.database import Database
from shared.db.tables import WebhookEndpoint
from shared.errors import Unavailable
from shared.webhooks.secret_box import SecretBox

# Endpoints in one transaction.
BATCH = 200


@dataclass(slots=True)
class Resealed:
    """Counts of secrets; an endpoint has two for a day after a rotation. `unreadable`: ids of endpoints."""

    changed: int = 0
    current: int = 0
    unreadable: list[int] = field(default_factory=list)


async def reseal(database: Database, box: SecretBox, *, change: bool = True, batch: int = BATCH) -> Resealed:
    """Seals every secret with the first key of `box`. Those that already are stay untouched, so it can run again.

    `change` False: only counts. A secret that no key opens stays as it is. Works beside a running service: each batch
    is a transaction that locks its endpoints.
    """
    done, after = Resealed(), 0
    while True:
        async with database.write() if change else database.read() as session:
            query = select(WebhookEndpoint.id, WebhookEndpoint.secrets).where(WebhookEndpoint.id > after)
            query = query.order_by(WebhookEndpoint.id).limit(batch)
            rows = (await session.execute(query.with_for_update() if change else query)).all()
            for endpoint_id, secrets in rows:
                await _reseal_one(session, box, done, endpoint_id, secrets, change=change)
        if len(rows) < batch:
            return done
        after = rows[-1].id


async def _reseal_one(
    session: AsyncSession,
    box: SecretBox,
    done: Resealed,
    endpoint_id: int,
    secrets: list[dict[str, Any]],
    *,
    change: bool,
) -> None:
    new = []
    for secret in secrets:
        try:
            sealed = box.reseal(secret["sealed"])
        except Unavailable:
            if endpoint_id not in done.unreadable:
                done.unreadable.append(endpoint_id)
            sealed = secret["sealed"]
        else:
            done.changed += sealed != secret["sealed"]
            done.current += sealed == secret["sealed"]
        new.append({**secret, "sealed": sealed})
    if change and new != secrets:
        await session.execute(update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).values(secrets=new))
