"""Encrypts the stored webhook secrets with the newest key. For `llmbench webhooks reseal`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.webhooks import WebhookEndpoint
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

    def add(self, other: "Resealed") -> None:
        """Adds the counts of a batch."""
        self.changed += other.changed
        self.current += other.current
        self.unreadable += other.unreadable


async def reseal(database: Database, box: SecretBox, *, change: bool = True, batch: int = BATCH) -> Resealed:
    """Seals every secret with the first key of `box`. Those that already are stay untouched, so it can run again.

    `change` False: only counts. A secret that no key opens stays as it is. Works beside a running service: each batch
    is a transaction that locks its endpoints.
    """
    secrets, done, after = _SecretRepository(database), Resealed(), 0
    while True:
        of_batch, ids = await secrets.reseal_batch(box, after=after, limit=batch, change=change)
        done.add(of_batch)
        if len(ids) < batch:
            return done
        after = ids[-1]


@tries_again
class _SecretRepository:
    """The secrets of `webhook_endpoints`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reseal_batch(
        self, box: SecretBox, *, after: int, limit: int, change: bool
    ) -> tuple[Resealed, Sequence[int]]:
        """(the counts, the ids) of the next endpoints."""
        done = Resealed()
        query = select(WebhookEndpoint.id, WebhookEndpoint.secrets).where(WebhookEndpoint.id > after)
        query = query.order_by(WebhookEndpoint.id).limit(limit)
        async with self._database.write() if change else self._database.read() as session:
            rows = (await session.execute(query.with_for_update() if change else query)).all()
            for endpoint_id, secrets in rows:
                new = _resealed(box, done, endpoint_id, secrets)
                if change and new != secrets:
                    await session.execute(
                        update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).values(secrets=new)
                    )
        return done, [row.id for row in rows]


def _resealed(box: SecretBox, done: Resealed, endpoint_id: int, secrets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The endpoint's secrets, sealed anew, and counted in `done`."""
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
    return new
