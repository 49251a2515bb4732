"""The doorbell between API and workers: a Redis channel for workers that listen now, arq's queue for later ones.

A message is only a hint: "benchmark 7 is pending" or "benchmark 7 is to be cancelled". The database holds the truth,
and a worker that missed a message finds the benchmark there at its next sweep.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, cast, get_args

import structlog
from arq.connections import ArqRedis
from redis.backoff import ExponentialBackoff

from shared.errors import Unavailable
from shared.queue.redis import FAILURES

CHANNEL = "llmbench:bell"
# The arq function that a queued message calls; its one argument is the benchmark's id.
RING_FUNCTION = "ring"
# The longest wait for Redis when ringing. A missed bell costs only time.
ANSWER_WITHIN_S = 2
# After this many silent seconds, ping Redis and wait as long again.
LISTEN_S = 5

log = structlog.get_logger(__name__)

Kind = Literal["pending", "cancel", "webhooks"]


@dataclass(frozen=True, slots=True)
class Bell:
    """The reason for ringing: a pending benchmark, a cancel, or due webhook deliveries (`benchmark_id` is then 0)."""

    kind: Kind
    benchmark_id: int


class Doorbell:
    """Rings the bell, and listens for it."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis

    async def ring(self, benchmark_id: int) -> bool:
        """Tells the workers about a pending benchmark. False if Redis does not answer: a sweep will find it."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._redis.publish(CHANNEL, f"pending:{benchmark_id}")
                # The channel reaches workers that listen now; the queue keeps the message for those that come later.
                await self._redis.enqueue_job(RING_FUNCTION, benchmark_id, _job_id=f"benchmark:{benchmark_id}")
        except FAILURES as exc:
            log.warning("doorbell_failed", benchmark_id=benchmark_id, error=type(exc).__name__)
            return False
        return True

    async def announce_cancel(self, benchmark_id: int) -> bool:
        """Tells the workers about a cancel. False if Redis does not answer: the next heartbeat will see it."""
        return await self._announce(f"cancel:{benchmark_id}")

    async def announce_webhooks(self) -> bool:
        """Tells the workers that a delivery is due. False if Redis does not answer: they look by themselves too."""
        return await self._announce("webhooks:0")

    async def _announce(self, message: str) -> bool:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._redis.publish(CHANNEL, message)
        except FAILURES as exc:
            log.warning("announcement_failed", message=message, error=type(exc).__name__)
            return False
        return True

    async def listen(self) -> AsyncIterator[Bell]:
        """Every bell from now on. Reconnects by itself after Redis was away."""
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
                            # Silence may mean that the connection is dead.
                            if asked:
                                raise TimeoutError("no answer to a ping")
                            await channel.ping()
                        asked = message is None
                        bell = _parse(message["data"]) if message else None
                        if bell is not None:
                            yield bell
            except FAILURES as exc:
                failures += 1
                log.warning("doorbell_lost", error=type(exc).__name__, failures=failures)
                await asyncio.sleep(backoff.compute(failures))

    async def check(self) -> None:
        """Raises Unavailable if Redis does not answer."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._redis.ping()
        except FAILURES as exc:
            raise Unavailable(f"Redis does not answer: {type(exc).__name__}") from exc

    async def close(self) -> None:
        await self._redis.aclose(close_connection_pool=True)


def _parse(data: bytes) -> Bell | None:
    kind, _, number = data.decode("utf-8", "replace").partition(":")
    if kind not in get_args(Kind) or not number.isdecimal():
        return None
    return Bell(cast(Kind, kind), int(number))
