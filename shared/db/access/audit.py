"""The audit log: who changed what, and when. Every repository that changes something for a caller writes to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.audit import MAX_TARGET_CHARS, Action, Kind, checked_details
from shared.access.caller import Caller
from shared.db.access.owned import of_owner
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.access import AuditEntry
from shared.db.tables.types import utc_now


async def record(
    session: AsyncSession,
    caller: Caller,
    action: Action,
    kind: Kind,
    target_id: int | str,
    details: Mapping[str, Any] | None = None,
    *,
    owner: str | None = None,
) -> None:
    """For the transaction that makes the change: the entry is stored with it, or neither is.

    `owner`: whose thing it is, if not the caller's. `details`: names of `shared.access.audit.DETAILS`; never a secret,
    and no text of a prompt.
    """
    await session.execute(
        insert(AuditEntry).values(
            at=utc_now(),
            owner=caller.owner if owner is None else owner,
            key_id=caller.key_id,
            via=caller.via,
            action=action,
            target_kind=kind,
            target_id=str(target_id)[:MAX_TARGET_CHARS],
            details=checked_details(details or {}),
            request_id=caller.request_id,
        )
    )


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """The filters of the log. None: this filter is not set. `before` is not included."""

    action: Action | None = None
    kind: Kind | None = None
    target_id: str | None = None
    key_id: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@tries_again
class AuditRepository:
    """Entries of the log that a caller may see: those of its owner."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def page(self, where: AuditFilter, *, before_id: int | None, limit: int) -> Sequence[AuditEntry]:
        """Entries that pass the filters, newest first, with ids below `before_id`."""
        query = select(AuditEntry).where(of_owner(self._caller, AuditEntry.owner), *_conditions(where))
        if before_id is not None:
            query = query.where(AuditEntry.id < before_id)
        async with self._database.read() as session:
            return (await session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit))).all()


def _conditions(where: AuditFilter) -> Iterator[ColumnElement[bool]]:
    for column, value in (
        (AuditEntry.action, where.action),
        (AuditEntry.target_kind, where.kind),
        (AuditEntry.target_id, where.target_id),
        (AuditEntry.key_id, where.key_id),
    ):
        if value is not None:
            yield column == value
    if where.since is not None:
        yield AuditEntry.at >= where.since
    if where.before is not None:
        yield AuditEntry.at < where.before
