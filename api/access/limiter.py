"""Decides whether a request of a key may go on: by counts in Redis, or by those of this process while Redis is away."""

import asyncio
import contextlib
import uuid
from collections import defaultdict
from dataclasses import dataclass, field

import structlog

from shared.access.request_limits import Decision, LimitName, RequestLimits, Window, used
from shared.clock import Clock
from shared.queue.redis import FAILURES
from shared.queue.request_limits import LEASE_S, RedisRequestCounts

log = structlog.get_logger(__name__)

# The longest that a request waits for Redis, and how long nobody asks after Redis has failed.
ANSWER_WITHIN_S = 0.25
ASK_AGAIN_S = 2.0
# Keys whose own counts are kept for the case that Redis goes away.
MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """A request in progress."""

    key_id: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class RequestLimiter:
    """One for each process. `enter` and `leave` frame a request; `keep_places` runs beside them."""

    def __init__(self, redis: RedisRequestCounts, clock: Clock, *, lease_s: float = LEASE_S) -> None:
        self._redis = redis
        self._clock = clock
        self._prolong_s = lease_s / 3
        self._open: defaultdict[str, set[str]] = defaultdict(set)
        self._windows: dict[str, Window] = {}
        self._away_until_ns = 0
        self._leaving: set[asyncio.Task[None]] = set()

    async def enter(self, place: Place, limits: RequestLimits) -> Decision:
        """Takes the place if the limits allow it."""
        decision = await self._ask_redis(place, limits)
        if decision is None:
            decision = self._ask_here(place, limits)
        if decision.refused_by is None:
            self._open[place.key_id].add(place.id)
        return decision

    async def leave(self, place: Place) -> None:
        """Frees the place, once. If Redis is away, it lapses there."""
        here = self._open.get(place.key_id, set())
        if place.id not in here:
            return
        here.discard(place.id)
        if not here:
            del self._open[place.key_id]
        if not self._is_away():
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    await self._redis.leave(place.key_id, [place.id])
            except FAILURES as exc:
                self._note(exc)

    def leave_soon(self, place: Place) -> None:
        """Frees the place beside what goes on, if its client went away."""
        if place.id not in self._open.get(place.key_id, ()):
            return
        task = asyncio.create_task(self.leave(place))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def keep_places(self) -> None:
        """Prolongs the places of requests in progress, for ever."""
        while True:
            await asyncio.sleep(self._prolong_s)
            await self.prolong()

    async def prolong(self) -> None:
        for key_id, places in list(self._open.items()):
            known = set(places)
            with contextlib.suppress(*FAILURES):
                async with asyncio.timeout(ANSWER_WITHIN_S * 4):
                    await self._redis.prolong(key_id, known)
                    # Those that ended meanwhile must not come back.
                    await self._redis.leave(key_id, known - self._open.get(key_id, set()))

    async def close(self) -> None:
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=ANSWER_WITHIN_S * 4)
        await self._redis.close()

    async def _ask_redis(self, place: Place, limits: RequestLimits) -> Decision | None:
        """None if Redis does not answer in time, or did not just before."""
        if self._is_away():
            return None
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._redis.enter(place.key_id, place.id, limits)
        except FAILURES as exc:
            self._note(exc)
            return None

    def _ask_here(self, place: Place, limits: RequestLimits) -> Decision:
        """By the requests of this process alone."""
        window = self._window(place.key_id)
        elapsed_ms = window.move_to(self._clock.monotonic_ns() // 1_000_000)
        open_now = len(self._open.get(place.key_id, ()))
        refused_by: LimitName | None = None
        if limits.concurrent and open_now >= limits.concurrent:
            refused_by = "concurrent"
        elif limits.per_minute and used(window.count, window.before, elapsed_ms) + 1 > limits.per_minute:
            refused_by = "minute"
        else:
            window.count += 1
            open_now += 1
        return Decision(limits, refused_by, open_now, window.count, window.before, elapsed_ms)

    def _window(self, key_id: str) -> Window:
        if key_id not in self._windows and len(self._windows) >= MAX_KEYS:
            del self._windows[next(iter(self._windows))]
        return self._windows.setdefault(key_id, Window())

    def _is_away(self) -> bool:
        return self._clock.monotonic_ns() < self._away_until_ns

    def _note(self, failure: BaseException) -> None:
        log.warning("limits_without_redis", error=type(failure).__name__)
        self._away_until_ns = self._clock.monotonic_ns() + round(ASK_AGAIN_S * 1e9)
