"""`/ui/account`: who is logged in here, for how long, and whose rows an admin looks at."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api.access.needs import needs
from api.access.sessions import session_of
from api.http.proxy import link
from api.pages.next_page import next_page
from api.pages.routes.form_body import Form
from api.pages.routes.login import Logins
from api.pages.site import page
from shared.access.owner import ALL_OWNERS
from shared.errors import NotFound

router = APIRouter(prefix="/ui/account", include_in_schema=False)

PATH = "/ui/account"


@router.get("", dependencies=[needs("read")])
async def account(request: Request, login: Logins) -> Response:
    """The session of this browser. Without one there is nothing to be shown."""
    session = session_of(request.scope)
    if session is None:
        return RedirectResponse(link(next_page(None)), 303)
    owners = await login.owners() if session.row.scope == "admin" else []
    others = [name for name in owners if name != session.row.owner]
    return page(request, "access/account.html", session=session.row, looks_at=session.looks_at, others=others)


@router.post("/owner", dependencies=[needs("admin")])
async def look_at(values: Form, request: Request, login: Logins) -> Response:
    """Chooses the owner whose rows the pages show. Empty: that of the key."""
    owner = values.get("owner", "")
    session = session_of(request.scope)
    if owner not in ("", ALL_OWNERS) and owner not in await login.owners():
        raise NotFound("there is no owner of this name")
    if session is not None:
        await login.look_at(session, None if owner in ("", session.row.owner) else owner)
    return RedirectResponse(link(next_page(values.get("next"))), 303)
