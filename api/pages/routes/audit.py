"""`/ui/audit` for admins: who changed what and when, newest first, with the filters in the URL."""

from fastapi import APIRouter, Request, Response
from pydantic import model_validator

from api.access.needs import needs
from api.http.proxy import link
from api.lists.audit import filter_of
from api.pages.owner_filter import OwnerFilter, reader_of, shown_owner
from api.pages.queries import query_of
from api.pages.routes.login import Logins
from api.pages.site import page
from api.pages.urls import with_query
from api.schemas.audit import AuditFilters
from api.schemas.ids import RowId
from api.state import Parts
from shared.access.audit import ACTIONS, KINDS
from shared.db.access.audit import AuditRepository

router = APIRouter(prefix="/ui/audit", include_in_schema=False, dependencies=[needs("admin")])

PATH = "/ui/audit"
ENTRIES_A_PAGE = 100


class PageQuery(AuditFilters):
    """Which entries. The URL may have other parameters, such as the theme."""

    owner: OwnerFilter = None
    below: RowId | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: dict[str, str]) -> dict[str, str]:
        """Forms send empty texts for what was not chosen."""
        return {name: value for name, value in values.items() if value}


@router.get("")
async def audit_log(request: Request, parts: Parts, login: Logins) -> Response:
    """Of the owner whom this login looks at; `owner` asks for another one, or for all."""
    query = query_of(request, PageQuery)
    reader = reader_of(request, query.owner)
    entries = AuditRepository(reader, parts.database)
    rows = await entries.page(filter_of(query), before_id=query.below, limit=ENTRIES_A_PAGE + 1)
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
        mine=parts.caller,
        first_url=with_query(here, pairs) if query.below is not None else None,
        next_url=with_query(here, pairs, below=str(shown[-1].id)) if len(rows) > len(shown) else None,
    )


_FILTERS = ("action", "kind", "target", "key_id", "owner", "from", "to")
