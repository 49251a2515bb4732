"""Who uses a page: the session of a request's cookie, and the caller whom its key makes it."""

import re
from dataclasses import dataclass, field

import structlog
from starlette.types import Scope as AsgiScope

from api.access.cookie import secret_of
from api.http.proxy import route_path, user_of
from shared.access.caller import Caller
from shared.access.owner import ALL_OWNERS
from shared.access.session import csrf_token, hash_of
from shared.db.access.sessions import OpenSession, SessionRepository
from shared.errors import Unavailable

log = structlog.get_logger(__name__)

# Where it is kept in the state of a request.
SESSION = "session"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
# What open pages ask for again and again: the list of benchmarks, and the page of a benchmark that runs.
_OF_OPEN_PAGES = re.compile(r"/ui/benchmarks(?:/[0-9]+)?/live|/benchmarks/[0-9]+/events")
# What an admin may do with the benchmarks of the one owner whose pages are shown. All else changes the key's owner.
_ACROSS = re.compile(r"(?:/ui)?/benchmarks/[0-9]+(?:/cancel|/delete)?")


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """The session of one request. `csrf`: the token of its forms."""

    row: OpenSession
    secret: str = field(repr=False)

    @property
    def csrf(self) -> str:
        return csrf_token(self.secret)

    @property
    def looks_at(self) -> str | None:
        """The owner whose rows the pages show instead of the key's; `*`: all. None: the key's own."""
        other = self.row.looks_at
        return other if self.row.scope == "admin" and other != self.row.owner else None

    def caller(self, scope: AsgiScope) -> Caller:
        """Who makes this request. What is read is that of `looks_at`; what is written belongs to the key's owner."""
        looks_at = self.looks_at
        changes = scope["method"] not in SAFE_METHODS
        if changes and (looks_at == ALL_OWNERS or not _ACROSS.fullmatch(route_path(scope))):
            looks_at = None
        sees_all = looks_at == ALL_OWNERS
        return Caller(
            owner=self.row.owner if looks_at is None or sees_all else looks_at,
            scope=self.row.scope,
            key_id=self.row.key_id,
            via="session",
            sees_all=sees_all,
            request_id=scope.get("state", {}).get("request_id"),
        )


class Sessions:
    """Finds the session of a request. The middleware of access asks it where there is no key."""

    def __init__(self, repository: SessionRepository) -> None:
        self._repository = repository

    async def of(self, scope: AsgiScope) -> BrowserSession | None:
        """None without a cookie, and if its session has ended. Raises Unavailable without the database."""
        secret = secret_of(scope)
        if secret is None:
            return None
        row = await self._repository.get(hash_of(secret, user_of(scope)))
        if row is None:
            return None
        if row.seen_long_ago and not _asks_by_itself(scope):
            try:
                await self._repository.touch(row)
            except Unavailable as exc:
                # It can be read, so the page can be shown.
                log.warning("session_not_prolonged", reason=exc.reason)
        return BrowserSession(row, secret)


def _asks_by_itself(scope: AsgiScope) -> bool:
    """Whether an open page asks for news, which it also does if nobody sits before it."""
    return _OF_OPEN_PAGES.fullmatch(route_path(scope)) is not None


def session_of(scope: AsgiScope) -> BrowserSession | None:
    """The session that the middleware found for this request; None for open access and for keys."""
    found: BrowserSession | None = scope.get("state", {}).get(SESSION)
    return found
