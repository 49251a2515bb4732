"""Counts requests of keys in Redis, so that all API processes share one count. `api.access.limiter` uses it.

A request in progress has a place with a lease. Its process prolongs it; the places of a process that died lapse.
"""

from collections.abc import Collection
from typing import cast

from redis.asyncio import Redis

from shared.access.request_limits import WINDOW_MS, Decision, LimitName, RequestLimits

# How long a place counts after it was prolonged.
LEASE_S = 30
_REFUSED_BY: tuple[LimitName | None, ...] = (None, "minute", "concurrent")

# One step, so that requests that come at once cannot share the last place. By Redis's clock: all processes share it.
# Mirrors `Window` and `used`.
_ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local per_minute, places, lease, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local open = redis.call('ZCARD', KEYS[2])
local number, elapsed = math.floor(now / window), now % window
local stored = redis.call('HMGET', KEYS[1], 'number', 'count', 'before')
local count, before = tonumber(stored[2]) or 0, tonumber(stored[3]) or 0
if tonumber(stored[1]) ~= number then
  before = tonumber(stored[1]) == number - 1 and count or 0
  count = 0
end
if places > 0 and open >= places then return {2, open, count, before, elapsed} end
if per_minute > 0 and count + before * (window - elapsed) / window + 1 > per_minute then
  return {1, open, count, before, elapsed}
end
redis.call('HSET', KEYS[1], 'number', number, 'count', count + 1, 'before', before)
redis.call('PEXPIRE', KEYS[1], 2 * window)
redis.call('ZADD', KEYS[2], now + lease, ARGV[3])
redis.call('PEXPIRE', KEYS[2], 2 * lease)
return {0, open + 1, count + 1, before, elapsed}
"""
# Places that are not there get in again: Redis may have been emptied, or away when they were taken.
_PROLONG = """
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
for place = 2, #ARGV do redis.call('ZADD', KEYS[1], until_ms, ARGV[place]) end
redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[1]))
"""


class RedisRequestCounts:
    """Raises what the Redis client raises (`shared.queue.redis.FAILURES`)."""

    def __init__(self, redis: Redis, *, lease_s: float = LEASE_S) -> None:
        self._redis = redis
        self._lease_ms = round(lease_s * 1_000)
        self._enter = redis.register_script(_ENTER)
        self._prolong = redis.register_script(_PROLONG)

    async def enter(self, key_id: str, place: str, limits: RequestLimits) -> Decision:
        """Takes a place for a request and counts it, or neither if a limit refuses it."""
        values: list[str | int] = [limits.per_minute, limits.concurrent, place, self._lease_ms, WINDOW_MS]
        answer = cast(list[int], await self._enter(keys=[_minute(key_id), _open(key_id)], args=tuple(values)))
        refused, open_now, count, before, elapsed_ms = answer
        return Decision(limits, _REFUSED_BY[refused], open_now, count, before, elapsed_ms)

    async def leave(self, key_id: str, places: Collection[str]) -> None:
        if places:
            await self._redis.zrem(_open(key_id), *places)

    async def prolong(self, key_id: str, places: Collection[str]) -> None:
        if places:
            await self._prolong(keys=[_open(key_id)], args=[str(self._lease_ms), *places])

    async def close(self) -> None:
        await self._redis.aclose(close_connection_pool=True)


# The braces keep both on one node of a cluster.
def _minute(key_id: str) -> str:
    return f"llmbench:limits:{{{key_id}}}:minute"


def _open(key_id: str) -> str:
    return f"llmbench:limits:{{{key_id}}}:open"
