"""Logging in with a key, or as the person whom a trusted proxy logged in. The page of the login uses it."""

import structlog
from starlette.types import Scope as AsgiScope

from api.access.cookie import set_cookie
from api.access.sessions import BrowserSession, Sessions
from api.access.throttle import LoginThrottle
from api.http.proxy import client_of, user_of
from shared.access.api_key import NoApiKey, parse
from shared.access.caller import Caller
from shared.access.session import hash_of, new_secret
from shared.access.trusted_users import TrustedUsers
from shared.db.access.key_lookup import KeyLookup, KnownKey
from shared.db.access.sessions import SessionRepository
from shared.errors import LlmBenchError

log = structlog.get_logger(__name__)


class LoginRefused(LlmBenchError):
    """Says the same whatever is wrong with the key."""

    code = "login_refused"


class TooManyTries(LlmBenchError):
    """There were too many wrong tries from this address, or from all together. `wait_s`: seconds until the next."""

    code = "too_many_tries"

    def __init__(self, wait_s: float) -> None:
        super().__init__("too many wrong tries")
        self.wait_s = wait_s


class Login:
    """Opens and closes sessions."""

    def __init__(
        self,
        keys: KeyLookup,
        repository: SessionRepository,
        sessions: Sessions,
        throttle: LoginThrottle,
        users: TrustedUsers,
    ) -> None:
        self._keys = keys
        self._repository = repository
        self._sessions = sessions
        self._throttle = throttle
        self._users = users

    async def is_needed(self) -> bool:
        """False under open access."""
        return await self._keys.are_keys()

    async def session(self, scope: AsgiScope) -> BrowserSession | None:
        """For routes that are open to all, whose session nobody looked up."""
        return await self._sessions.of(scope)

    async def with_key(self, text: str, scope: AsgiScope) -> str:
        """The cookie of a new session, as a header. Raises LoginRefused and TooManyTries."""
        address = client_of(scope)
        wait_s = self._throttle.begin(address)
        if wait_s > 0:
            raise TooManyTries(wait_s)
        try:
            key = parse(text.strip())
        except NoApiKey:
            raise _refused(address, "malformed") from None
        found = await self._keys.by_secret(key)
        if found is None:
            raise _refused(address, "unknown")
        if found.state != "usable":
            await self._repository.refuse(_caller(found, scope), found.state)
            raise _refused(address, found.state)
        self._throttle.succeeded(address)
        return await self._open(found, scope)

    async def key_of_user(self, scope: AsgiScope) -> KnownKey | None:
        """The usable key of the person whom the proxy named; None if there is none."""
        user = user_of(scope)
        key_id = None if user is None else self._users.key_id(user)
        found = None if key_id is None else await self._keys.by_id(key_id)
        return found if found is not None and found.state == "usable" else None

    async def as_user(self, scope: AsgiScope) -> str:
        """The cookie of a new session with that key, as a header. Raises LoginRefused."""
        found = await self.key_of_user(scope)
        if found is None:
            raise _refused(client_of(scope), "no key for this user")
        return await self._open(found, scope)

    async def close(self, session: BrowserSession, scope: AsgiScope) -> None:
        """Logs out this browser."""
        await self._repository.close(session.row.hash, session.caller(scope))

    async def close_all(self, session: BrowserSession, scope: AsgiScope) -> int:
        """Logs out every browser that logged in with the same key. Returns their number."""
        return await self._repository.close_all(session.caller(scope))

    async def look_at(self, session: BrowserSession, owner: str | None) -> None:
        """See `SessionRepository.look_at`."""
        await self._repository.look_at(session.row.hash, owner)

    async def owners(self) -> list[str]:
        return await self._repository.owners()

    async def _open(self, found: KnownKey, scope: AsgiScope) -> str:
        """Always a new secret: one that somebody planted in the browser before is worth nothing."""
        before = await self._sessions.of(scope)
        secret, user = new_secret(), user_of(scope)
        caller = _caller(found, scope)
        await self._repository.open(hash_of(secret, user), caller, key_name=found.row.name, user=user)
        if before is not None:
            await self._repository.close(before.row.hash, before.caller(scope))
        return set_cookie(scope, secret)


def _caller(found: KnownKey, scope: AsgiScope) -> Caller:
    request_id = scope.get("state", {}).get("request_id")
    return Caller(found.row.owner, found.row.scope, found.row.id, via="session", request_id=request_id)


def _refused(address: str, reason: str) -> LoginRefused:
    log.warning("login_refused", address=address, reason=reason)
    return LoginRefused("this key was not accepted")
