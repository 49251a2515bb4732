"""`/ui/audit` for admins: who changed what and when, newest first, with the filters in the URL."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access.caller import caller_of
from api.access.needs import needs
from api.pages.owner_filter import OwnerFilter, empty_as_none, reader_of, shown_owner
from api.pages.queries import query_of
from api.pages.routes.login import Logins
from api.pages.site import page
from api.pages.urls import with_query
from api.proxy import link
from api.schemas.instant import Instant
from api.state import Parts
from shared.access.audit import ACTIONS, KINDS, MAX_TARGET_CHARS, Action, Kind
from shared.db.audit import AuditFilter, AuditRepository
from shared.text import StorableText

router = APIRouter(prefix="/ui/audit", include_in_schema=False, dependencies=[needs("admin")])

PATH = "/ui/audit"
ENTRIES_A_PAGE = 100


class PageQuery(BaseModel):
    """Which entries. The URL may have other parameters, such as the theme."""

    model_config = ConfigDict(extra="ignore")

    action: Annotated[Action | None, empty_as_none] = None
    kind: Annotated[Kind | None, empty_as_none] = None
    target: Annotated[Annotated[StorableText, Field(max_length=MAX_TARGET_CHARS)] | None, empty_as_none] = None
    key_id: Annotated[Annotated[str, Field(pattern="^[0-9a-z]{8}$")] | None, empty_as_none] = None
    owner: OwnerFilter = None
    since: Annotated[Instant | None, empty_as_none] = Field(default=None, alias="from")
    before: Annotated[Instant | None, empty_as_none] = Field(default=None, alias="to")
    below: Annotated[Annotated[int, Field(ge=1, le=2**63 - 1)] | None, empty_as_none] = None


@router.get("")
async def audit_log(request: Request, parts: Parts, login: Logins) -> Response:
    """Of the owner whom this login looks at; `owner` asks for another one, or for all."""
    query = query_of(request, PageQuery)
    reader = reader_of(request, query.owner)
    where = AuditFilter(
        action=query.action,
        kind=query.kind,
        target_id=query.target,
        key_id=query.key_id,
        since=query.since,
        before=query.before,
    )
    rows = await AuditRepository(reader, parts.database).page(where, before_id=query.below, limit=ENTRIES_A_PAGE + 1)
    shown = rows[:ENTRIES_A_PAGE]
    pairs = [(name, request.query_params.get(name, "")) for name in _FILTERS]
    here = link(PATH)
    return page(
        request,
        "access/audit.html",
        entries=shown,
        actions=ACTIONS,
        kinds=KINDS,
        chosen=dict(pairs),
        owners=await login.owners(),
        shown=shown_owner(reader),
        is_filtered=any(value for _, value in pairs),
        mine=caller_of(request),
        first_url=with_query(here, pairs) if query.below is not None else None,
        next_url=with_query(here, pairs, below=str(shown[-1].id)) if len(rows) > len(shown) else None,
    )


_FILTERS = ("action", "kind", "target", "key_id", "owner", "from", "to")
