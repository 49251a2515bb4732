"""`/audit`: who changed what, and when."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.access.needs import needs
from api.lists.audit import filter_of
from api.lists.cursor import decode_cursor, encode_cursor
from api.routes.benchmarks import INVALID
from api.schemas.audit import AuditEntryOut, AuditPage, AuditQuery
from api.state import Parts
from shared.db.tables.access import AuditEntry

router = APIRouter(tags=["audit"], dependencies=[needs("admin")])


@router.get("/audit", operation_id="listAuditEntries", summary="Read who changed what", responses=INVALID)
async def list_entries(query: Annotated[AuditQuery, Query()], parts: Parts) -> AuditPage:
    """Changes of your owner's benchmarks, datasets, webhooks, baselines, keys and budgets, newest first.

    `owner=NAME` lists those of another owner, `owner=*` those of all. An entry is stored together with its change.
    """
    before_id = decode_cursor(query.cursor, int)[0] if query.cursor else None
    found = await parts.audit.page(filter_of(query), before_id=before_id, limit=query.limit + 1)
    shown = found[: query.limit]
    return AuditPage(
        items=[_out(entry) for entry in shown],
        next_cursor=encode_cursor(shown[-1].id) if len(found) > query.limit else None,
    )


def _out(entry: AuditEntry) -> AuditEntryOut:
    same = ("id", "at", "owner", "action", "via", "key_id", "request_id", "details")
    return AuditEntryOut(
        **{name: getattr(entry, name) for name in same}, kind=entry.target_kind, target=entry.target_id
    )
