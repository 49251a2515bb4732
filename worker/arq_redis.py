"""The Redis client of arq's loop. It hides every failure of Redis, because arq ends on the first error it sees."""

from collections.abc import Awaitable
from typing import Any

import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio import ConnectionPool
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import parse_url
from redis.exceptions import WatchError

from shared.queue.redis import FAILURES, MESSAGES, connection_pool

# Parameters of a URL that arq's settings call by the same name.
_SAME_IN_ARQ = frozenset(
    [
        "host",
        "port",
        "username",
        "password",
        "max_connections",
        "retry_on_timeout",
        "ssl_keyfile",
        "ssl_certfile",
        "ssl_cert_reqs",
        "ssl_ca_certs",
        "ssl_ca_data",
        "ssl_check_hostname",
    ]
)

log = structlog.get_logger(__name__)

# Answers of an empty Redis for which arq does not accept None: it iterates over the first and prints the second.
_OF_EMPTY: dict[Any, Any] = {"ZRANGEBYSCORE": [], "ZCARD": 0}


def queue_redis(url: str) -> "QueueRedis":
    """The client of arq's loop."""
    return QueueRedis(connection_pool(url, timeout_s=2), **MESSAGES)


def redis_settings(url: str) -> RedisSettings:
    """For arq's own health check; the worker itself uses `queue_redis`.

    arq's `from_dsn` neither decodes passwords nor knows the parameters of TLS.
    """
    given: dict[str, Any] = {**parse_url(url)}
    return RedisSettings(
        unix_socket_path=given.get("path"),
        database=given.get("db", 0),
        ssl=url.startswith("rediss:"),
        **{name: value for name, value in given.items() if name in _SAME_IN_ARQ},
    )


class QueueRedis(ArqRedis):
    """Answers arq's loop as an empty Redis would if the real one is away, full, read-only or fails.

    arq ends on the first error that it sees, and the worker would end with it. arq also waits for Redis before its
    start hook and before its shutdown hook. The queue is only a doorbell: the sweep finds what was not heard.
    """

    def __init__(self, pool_or_conn: ConnectionPool, **options: Any) -> None:
        super().__init__(pool_or_conn, **options)
        self._away = False

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        return await self.forgive(super().execute_command(*args, **options), _OF_EMPTY.get(args[0]))  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _QueuePipeline(self, transaction, shard_hint)

    async def forgive(self, answer: Awaitable[Any], otherwise: Any, *, taking: bool = False) -> Any:
        """Returns the answer, or `otherwise` if Redis fails. Logs once for each time that Redis is away.

        `taking`: the command takes a message. It raises WatchError if another worker was faster, as arq expects.
        """
        try:
            answered = await answer
        except FAILURES as exc:
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
    """Several commands of arq at once. If they fail, all of them are answered as by an empty Redis."""

    def __init__(self, redis: QueueRedis, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(redis.connection_pool, redis.response_callbacks, transaction, shard_hint)
        self._redis = redis

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        # arq asks whether the job runs already. After a failure the answer is yes (1), so arq skips the message.
        answer = super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]
        return await self._redis.forgive(answer, 1)

    async def reset(self) -> None:
        try:
            await super().reset()  # type: ignore[no-untyped-call]
        except FAILURES:
            # The connection is given up, so nothing is watched on it.
            self.watching = False
            if self.connection is not None:
                await self.connection.disconnect(nowait=True)
            await super().reset()  # type: ignore[no-untyped-call]

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        # arq takes a message in a transaction. Its other pipelines only read or tidy up.
        taking, count = self.explicit_transaction, len(self.command_stack)
        answered: list[Any] | None = await self._redis.forgive(super().execute(raise_on_error), None, taking=taking)
        if answered is None and taking:
            raise WatchError("Redis does not answer")
        return [{} for _ in range(count)] if answered is None else answered
