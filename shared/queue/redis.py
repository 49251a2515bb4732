"""Connections to Redis, and arq's messages as JSON."""

import contextlib
from typing import Any

import orjson
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

QUEUE_NAME = "llmbench:queue"
# The errors of a Redis that is away, full, read-only or misconfigured.
FAILURES = (RedisError, OSError, TimeoutError)


def serialize(message: dict[str, Any]) -> bytes:
    """arq's messages as JSON: not pickle, which can run code from a message."""
    return orjson.dumps(message)


def deserialize(message: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads(message)
    return parsed


# How every client of the queue reads and writes messages.
MESSAGES: dict[str, Any] = {
    "job_serializer": serialize,
    "job_deserializer": deserialize,
    "default_queue_name": QUEUE_NAME,
}


class Connections(ConnectionPool):
    """Lets go of connections without an error: nothing is left to do when they are closed.

    The Redis client fails if it cannot see the end of a connection within its timeout, as on a busy host.
    """

    async def disconnect(self, inuse_connections: bool = True) -> None:
        with contextlib.suppress(*FAILURES):
            await super().disconnect(inuse_connections)


def client_redis(url: str) -> ArqRedis:
    """A client that fails within about a second, for callers that must go on without Redis."""
    return ArqRedis(connection_pool(url, timeout_s=1), **MESSAGES)


def quick_redis(url: str) -> Redis:
    """A client that fails within a quarter of a second, for callers that do without Redis then."""
    return Redis(connection_pool=connection_pool(url, timeout_s=0.25))


def connection_pool(url: str, timeout_s: float) -> Connections:
    """Connections that retry once on a new socket, because the old one may have been closed long ago."""
    options: dict[str, Any] = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return Connections.from_url(
        url,
        **options,
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        retry=Retry(NoBackoff(), 1),
        # The Redis client's own errors, not Python's errors of the same names.
        retry_on_error=[RedisConnectionError, RedisTimeoutError, OSError],
    )
