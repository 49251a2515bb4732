"""The doorbell between API and workers: arq's queue on Redis for what must wait, a channel for what cannot.

Nothing here is the truth. A message says "benchmark 7 is pending" or "benchmark 7 is to be cancelled";
what is so stands in the database, and a worker that heard nothing finds it there at its next sweep.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import RedisError

from shared.errors import Unavailable

QUEUE_NAME = "llmbench:queue"
CHANNEL = "llmbench:bell"
# The arq function that a queued message calls; its one argument is the benchmark's id.
RING_FUNCTION = "ring"
# How long whoever rings waits for Redis, in whatever state it is: the row is the truth, the bell can be missed.
ANSWER_WITHIN_S = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bell:
    """What was rung: a pending benchmark, or a cancel."""

    kind: Literal["pending", "cancel"]
    benchmark_id: int


def serialize(message: dict[str, Any]) -> bytes:
    """arq's messages as JSON: never pickle, which would run what it reads."""
    return orjson.dumps(message)


def deserialize(message: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads(message)
    return parsed


def client_redis(url: str) -> ArqRedis:
    """A client that fails within about a second: for requests that must answer while Redis is away."""
    return _redis(url, Retry(NoBackoff(), 1), timeout_s=1)


def worker_redis(url: str) -> ArqRedis:
    """A client that waits for Redis to come back: arq's loop ends on the first error it sees."""
    return _redis(url, Retry(ExponentialBackoff(cap=2, base=0.1), -1), timeout_s=5)


def _redis(url: str, retry: Retry, timeout_s: float) -> ArqRedis:
    pool: ConnectionPool = ConnectionPool.from_url(
        url,
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_keepalive=True,
        health_check_interval=15,
        retry=retry,
        retry_on_error=[ConnectionError, TimeoutError, OSError],
    )
    return ArqRedis(
        pool_or_conn=pool, job_serializer=serialize, job_deserializer=deserialize, default_queue_name=QUEUE_NAME
    )


def redis_settings(url: str) -> RedisSettings:
    """For arq's own health check; the worker itself gets `worker_redis`."""
    return RedisSettings.from_dsn(url)


class Doorbell:
    """Rings, and hears others ring."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis

    async def ring(self, benchmark_id: int) -> bool:
        """Tells the workers of a pending benchmark. False where Redis does not answer: the sweep finds it then."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._redis.publish(CHANNEL, f"pending:{benchmark_id}")
                # The channel reaches those who listen now; the queue keeps the message for whoever comes later.
                await self._redis.enqueue_job(RING_FUNCTION, benchmark_id, _job_id=f"benchmark:{benchmark_id}")
        except (RedisError, OSError, TimeoutError) as exc:
            log.warning("doorbell_failed", benchmark_id=benchmark_id, error=type(exc).__name__)
            return False
        return True

    async def announce_cancel(self, benchmark_id: int) -> bool:
        """Tells the workers at once. False where Redis does not answer: the worker's heartbeat sees it then."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._redis.publish(CHANNEL, f"cancel:{benchmark_id}")
        except (RedisError, OSError, TimeoutError) as exc:
            log.warning("cancel_announcement_failed", benchmark_id=benchmark_id, error=type(exc).__name__)
            return False
        return True

    async def listen(self) -> AsyncIterator[Bell]:
        """Every bell from now on. Comes back by itself after Redis was away."""
        backoff = ExponentialBackoff(cap=2, base=0.1)
        failures = 0
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    failures = 0
                    while True:
                        message = await channel.get_message(timeout=5)
                        bell = _parse(message["data"]) if message else None
                        if bell is not None:
                            yield bell
            except (RedisError, OSError, TimeoutError) as exc:
                failures += 1
                log.warning("doorbell_lost", error=type(exc).__name__, failures=failures)
                await asyncio.sleep(backoff.compute(failures))

    async def check(self) -> None:
        """Raises Unavailable where Redis does not answer."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError) as exc:
            raise Unavailable(f"Redis does not answer: {type(exc).__name__}") from exc

    async def close(self) -> None:
        await self._redis.aclose(close_connection_pool=True)


def _parse(data: bytes) -> Bell | None:
    kind, _, number = data.decode("utf-8", "replace").partition(":")
    if kind not in ("pending", "cancel") or not number.isdecimal():
        return None
    return Bell("pending" if kind == "pending" else "cancel", int(number))
