"""Authentication: finds out who makes a request and whether they may, before anything of its body is read."""

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import refusals
from api.access.bound import is_elsewhere
from api.access.caller import CALLER, KEY_LIMITS
from api.access.credentials import key_of
from api.access.last_uses import LastUses
from api.access.needs import Need
from api.access.owner_choice import OnlyAdmins, WrongOwner, take_owner
from api.access.requirements import Requirements
from api.access.sessions import SESSION, Sessions
from api.http.errors import error_response
from api.http.proxy import route_path
from shared.access.api_key import NoApiKey
from shared.access.caller import LOCAL, Caller
from shared.db.access.key_lookup import KeyLookup
from shared.errors import Unavailable


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """The limits of the key that a request was made with. None: the settings decide."""

    key_id: str
    requests_per_minute: int | None
    concurrent_requests: int | None


class AccessMiddleware:
    """Puts the caller into the state of each request that may go on, and refuses all others.

    Under open access, that is without any key in the database, everyone is LOCAL.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        requirements: Requirements,
        keys: KeyLookup,
        last_uses: LastUses,
        sessions: Sessions,
        trusts_its_address: bool = False,
    ) -> None:
        """`trusts_its_address`: PUBLISHED_ON says that only this machine reaches the API, whatever it listens on."""
        self._app = app
        self._requirements = requirements
        self._keys = keys
        self._last_uses = last_uses
        self._sessions = sessions
        self._trusts_its_address = trusts_its_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        need = self._requirements.of(scope)
        refused = None if need.scope is None else await self._refused(Request(scope), need)
        await (self._app if refused is None else refused)(scope, receive, send)

    async def _refused(self, request: Request, need: Need) -> Response | None:
        """The answer to a request that may not go on. Else the caller is in its state."""
        try:
            found = await self._caller(request)
        except Unavailable as exc:
            # Without the database nobody knows which keys there are.
            return error_response(request, exc)
        if isinstance(found, Response):
            return found
        if need.scope is not None and not found.may(need.scope):
            return refusals.missing_scope(request, need.scope, found.scope)
        # On pages, a person who has logged in chooses an owner in another way (`api.pages.owner_filter`).
        if found.via == "key" or not route_path(request.scope).startswith("/ui"):
            try:
                found = take_owner(request.scope, need, found)
            except OnlyAdmins:
                return refusals.missing_scope(request, "admin", found.scope, "`owner=`")
            except WrongOwner as exc:
                return refusals.wrong_owner(request, str(exc))
        state = request.scope.setdefault("state", {})
        state[CALLER] = replace(found, request_id=state.get("request_id"))
        return None

    async def _caller(self, request: Request) -> Caller | Response:
        """Who makes the request, or the answer to one who is nobody. Raises Unavailable without the database."""
        if not await self._keys.are_keys():
            if not self._trusts_its_address and is_elsewhere(request.scope):
                return refusals.without_keys_only_here(request)
            return LOCAL
        try:
            key = key_of(request.headers)
        except NoApiKey as exc:
            return refusals.wrong_key(request, str(exc))
        if key is None:
            return await self._caller_of_session(request)
        found = await self._keys.by_secret(key)
        if found is None:
            return refusals.wrong_key(request, "is not known")
        if found.state != "usable":
            return refusals.wrong_key(request, "was revoked" if found.state == "revoked" else "has expired")
        self._last_uses.note(found)
        row = found.row
        request.scope.setdefault("state", {})[KEY_LIMITS] = KeyLimits(
            row.id, row.requests_per_minute, row.concurrent_requests
        )
        return Caller(row.owner, row.scope, row.id)

    async def _caller_of_session(self, request: Request) -> Caller | Response:
        found = await self._sessions.of(request.scope)
        if found is None:
            return refusals.no_key(request)
        state = request.scope.setdefault("state", {})
        row = found.row
        state[SESSION] = found
        state[KEY_LIMITS] = KeyLimits(row.key_id, row.requests_per_minute, row.concurrent_requests)
        return found.caller(request.scope)
