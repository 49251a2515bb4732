"""The parts of access that a process has once, and how `api.main` puts them in front of the routes."""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from fastapi import FastAPI

from api.access.bound import bound
from api.access.browser import CsrfMiddleware
from api.access.last_uses import LastUses
from api.access.limiter import RequestLimiter
from api.access.limits import LimitsMiddleware
from api.access.login import Login
from api.access.middleware import AccessMiddleware
from api.access.open_streams import OpenStreamsMiddleware
from api.access.requirements import Requirements, needs_elsewhere
from api.access.sessions import Sessions
from api.access.throttle import LoginThrottle
from shared.access.api_key import Hasher
from shared.access.request_limits import RequestLimits
from shared.clock import Clock
from shared.db.access.key_lookup import KeyLookup
from shared.db.access.sessions import SessionRepository
from shared.db.connection.database import Database
from shared.network.bound import Bound
from shared.queue.redis import quick_redis
from shared.queue.request_limits import RedisRequestCounts
from shared.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Keys, sessions, and where the process listens. Routes find it as `request.app.state.access`."""

    hasher: Hasher
    keys: KeyLookup
    last_uses: LastUses
    sessions: Sessions
    login: Login
    limiter: RequestLimiter
    bound: Bound

    async def check_start(self) -> None:
        """Raises NoKeys if the API must not start without a key. Warns of keys that nobody can use here."""
        if not await self.keys.are_keys():
            self.bound.require_keys()
        elif count := await self.keys.count_of_other_peppers():
            log.warning(
                "keys_of_another_secret_key",
                count=count,
                reason="made with a SECRET_KEY that is not set here, so they are refused as unknown; "
                "SECRET_KEY=new,old keeps them valid",
            )


def make_access(settings: Settings, database: Database, clock: Clock) -> Access:
    hasher = settings.key_hasher()
    keys = KeyLookup(database, hasher)
    rows = SessionRepository(
        database,
        idle=timedelta(hours=settings.session_idle_hours),
        absolute=timedelta(days=settings.session_max_days),
    )
    sessions = Sessions(rows)
    login = Login(keys, rows, sessions, LoginThrottle(clock), settings.trusted_users)
    limiter = RequestLimiter(RedisRequestCounts(quick_redis(settings.redis_url)), clock)
    return Access(hasher, keys, LastUses(keys), sessions, login, limiter, bound(settings))


def add_access(app: FastAPI, access: Access, settings: Settings) -> None:
    """Adds the middleware. Call it when the application has all its routes. Raises UndeclaredRoute."""
    app.state.requirements = Requirements(app.state.routes, needs_elsewhere(settings))
    app.add_middleware(OpenStreamsMiddleware, keys=access.keys, sessions=access.sessions)
    app.add_middleware(CsrfMiddleware)
    app.add_middleware(
        LimitsMiddleware,
        limiter=access.limiter,
        defaults=RequestLimits(settings.rate_limit_per_minute, settings.concurrent_requests),
    )
    app.add_middleware(
        AccessMiddleware,
        requirements=app.state.requirements,
        keys=access.keys,
        last_uses=access.last_uses,
        sessions=access.sessions,
        trusts_its_address=settings.published_on is not None and access.bound.only_here,
    )
