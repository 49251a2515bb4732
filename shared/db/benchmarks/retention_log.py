"""What retention tells the audit log: one entry for each owner and sweep, which counts what was deleted."""

import secrets
from dataclasses import replace
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import LOCAL
from shared.db.access.audit import record
from shared.db.tables.access import AuditEntry

_WORKER = replace(LOCAL, via="worker")

Counted = Literal["benchmarks_deleted", "texts_deleted_of"]


class RetentionLog:
    """The entries of a sweep. Two workers that sweep at the same time have entries of their own."""

    def __init__(self) -> None:
        self._sweep = ""
        self.begin()

    def begin(self) -> None:
        """From now on, another sweep is counted."""
        self._sweep = secrets.token_hex(6)

    async def count(self, session: AsyncSession, owner: str, counted: Counted) -> None:
        """For the transaction that deletes a benchmark of this owner, or its texts."""
        of_sweep = (
            AuditEntry.target_kind == "retention",
            AuditEntry.target_id == self._sweep,
            AuditEntry.owner == owner,
        )
        details = await session.scalar(select(AuditEntry.details).where(*of_sweep))
        if details is None:
            await record(session, _WORKER, "retention.done", "retention", self._sweep, {counted: 1}, owner=owner)
            return
        await session.execute(
            update(AuditEntry).where(*of_sweep).values(details={**details, counted: details.get(counted, 0) + 1}),
            execution_options={"synchronize_session": False},
        )
