"""The doorbell between API and workers: arq's queue on Redis for what must wait, a channel for what cannot.

Nothing here is the truth. A message says "benchmark 7 is pending" or "benchmark 7 is to be cancelled";
what is so stands in the database, and a worker that heard nothing finds it there at its next sweep.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import orjson
import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio import ConnectionPool
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, WatchError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.errors import Unavailable

QUEUE_NAME = "llmbench:queue"
CHANNEL = "llmbench:bell"
# The arq function that a queued message calls; its one argument is the benchmark's id.
RING_FUNCTION = "ring"
# How long whoever rings waits for Redis, in whatever state it is: the row is the truth, the bell can be missed.
ANSWER_WITHIN_S = 2
# Whoever listens asks after such a silence whether anybody is there, and gives the answer as long.
LISTEN_S = 5

log = structlog.get_logger(__name__)


Kind = Literal["pending", "cancel", "webhooks"]


@dataclass(frozen=True, slots=True)
class Bell:
    """What was rung: a pending benchmark, a cancel, or deliveries of webhooks (of no one benchmark: 0)."""

    kind: Kind
    benchmark_id: int


def serialize(message: dict[str, Any]) -> bytes:
    """arq's messages as JSON: never pickle, which would run what it reads."""
    return orjson.dumps(message)


def deserialize(message: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads(message)
    return parsed


def client_redis(url: str) -> ArqRedis:
    """A client that fails within about a second: for those who must go on while Redis is away."""
    return ArqRedis(_pool(url, timeout_s=1), **_MESSAGES)


def queue_redis(url: str) -> "QueueRedis":
    """The client of arq's loop."""
    return QueueRedis(_pool(url, timeout_s=2), **_MESSAGES)


_MESSAGES: dict[str, Any] = {
    "job_serializer": serialize,
    "job_deserializer": deserialize,
    "default_queue_name": QUEUE_NAME,
}


def _pool(url: str, timeout_s: float) -> ConnectionPool:
    return ConnectionPool.from_url(
        url,
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_keepalive=True,
        # Once more on a new connection: the old one may have been closed long ago.
        retry=Retry(NoBackoff(), 1),
        # Redis' own errors, which are not Python's of the same name.
        retry_on_error=[RedisConnectionError, RedisTimeoutError, OSError],
    )


class QueueRedis(ArqRedis):
    """Answers arq's loop as an empty Redis would, where the real one is away, full, read-only or wrong.

    arq ends on the first error that it sees, and would take the worker along; before its start hook it waits for
    Redis, and before its shutdown hook again. The queue is only a doorbell: what was not heard is found by the sweep.
    """

    def __init__(self, pool_or_conn: ConnectionPool, **options: Any) -> None:
        super().__init__(pool_or_conn, **options)
        self._away = False

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        return await self.forgive(super().execute_command(*args, **options), _OF_EMPTY.get(args[0]))  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _QueuePipeline(self, transaction, shard_hint)

    async def forgive(self, answer: Awaitable[Any], otherwise: Any, *, taking: bool = False) -> Any:
        """The answer, or what an empty Redis says. Logged once for each time that Redis is away.

        `taking`: of a message, where another worker may have been faster, which arq wants to know.
        """
        try:
            answered = await answer
        except _FAILURES as exc:
            if taking and isinstance(exc, WatchError):
                raise
            if not self._away:
                log.warning("queue_lost", error=type(exc).__name__)
            self._away = True
            return otherwise
        if self._away:
            log.info("queue_back")
        self._away = False
        return answered


class _QueuePipeline(Pipeline):
    """Several commands of arq at once, forgiven together."""

    def __init__(self, redis: QueueRedis, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(redis.connection_pool, redis.response_callbacks, transaction, shard_hint)
        self._redis = redis

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        # "Does somebody run it already?" - yes: arq passes the message over.
        answer = super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]
        return await self._redis.forgive(answer, 1)

    async def reset(self) -> None:
        try:
            await super().reset()  # type: ignore[no-untyped-call]
        except _FAILURES:
            # Nothing is watched on a connection that is given up.
            self.watching = False
            if self.connection is not None:
                await self.connection.disconnect(nowait=True)
            await super().reset()  # type: ignore[no-untyped-call]

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        # arq takes a message only if this succeeds; everything else it only reads or tidies up.
        taking, count = self.explicit_transaction, len(self.command_stack)
        answered: list[Any] | None = await self._redis.forgive(super().execute(raise_on_error), None, taking=taking)
        if answered is None and taking:
            raise WatchError("Redis does not answer")
        return [{} for _ in range(count)] if answered is None else answered


# Only what is not None: arq iterates over the first and prints the second.
_OF_EMPTY: dict[Any, Any] = {"ZRANGEBYSCORE": [], "ZCARD": 0}
_FAILURES = (RedisError, OSError, TimeoutError)


def redis_settings(url: str) -> RedisSettings:
    """For arq's own health check; the worker itself gets `queue_redis`."""
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
        except _FAILURES as exc:
            log.warning("doorbell_failed", benchmark_id=benchmark_id, error=type(exc).__name__)
            return False
        return True

    async def announce_cancel(self, benchmark_id: int) -> bool:
        """Tells the workers at once. False where Redis does not answer: the worker's heartbeat sees it then."""
        return await self._announce(f"cancel:{benchmark_id}")

    async def announce_webhooks(self) -> bool:
        """Tells the workers that a delivery is due. False where Redis does not answer: they look now and then."""
        return await self._announce("webhooks:0")

    async def _announce(self, message: str) -> bool:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._redis.publish(CHANNEL, message)
        except _FAILURES as exc:
            log.warning("announcement_failed", message=message, error=type(exc).__name__)
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
                    failures, asked = 0, False
                    while True:
                        message = await channel.get_message(timeout=LISTEN_S)
                        if message is None:
                            # Silence may be a connection that leads nowhere any more.
                            if asked:
                                raise TimeoutError("no answer to a ping")
                            await channel.ping()
                        asked = message is None
                        bell = _parse(message["data"]) if message else None
                        if bell is not None:
                            yield bell
            except _FAILURES as exc:
                failures += 1
                log.warning("doorbell_lost", error=type(exc).__name__, failures=failures)
                await asyncio.sleep(backoff.compute(failures))

    async def check(self) -> None:
        """Raises Unavailable where Redis does not answer."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._redis.ping()
        except _FAILURES as exc:
            raise Unavailable(f"Redis does not answer: {type(exc).__name__}") from exc

    async def close(self) -> None:
        await self._redis.aclose(close_connection_pool=True)


def _parse(data: bytes) -> Bell | None:
    kind, _, number = data.decode("utf-8", "replace").partition(":")
    if kind not in get_args(Kind) or not number.isdecimal():
        return None
    return Bell(cast(Kind, kind), int(number))
