"""arq's own loop over a Redis that is away, full, wrong or half there: it never ends, and it hears again afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from arq.worker import Worker, func
from redis.asyncio import Redis

from shared.program.tasks import end
from shared.queue.doorbell import RING_FUNCTION, Doorbell
from shared.queue.redis import QUEUE_NAME, client_redis
from tests.support.programs.ports import free_port
from tests.support.servers.proxy import Proxy, proxy_to
from tests.support.waiting import PATIENCE_S, until
from worker.arq_redis import queue_redis
from worker.main import WorkerSettings


class Loop:
    """arq's worker with the settings of the program and hooks of the test."""

    def __init__(self, url: str) -> None:
        self.started = asyncio.Event()
        self.stopped = asyncio.Event()
        self.heard: asyncio.Queue[int] = asyncio.Queue()

        async def ring(_: dict[Any, Any], benchmark_id: int) -> None:
            self.heard.put_nowait(benchmark_id)

        async def on(event: asyncio.Event) -> None:
            event.set()

        self.redis = queue_redis(url)
        self.worker = Worker(
            functions=[func(ring, name=RING_FUNCTION, keep_result=0, max_tries=1, timeout=10)],
            queue_name=QUEUE_NAME,
            redis_pool=self.redis,
            on_startup=lambda _: on(self.started),
            on_shutdown=lambda _: on(self.stopped),
            job_serializer=WorkerSettings.job_serializer,
            job_deserializer=WorkerSettings.job_deserializer,
            poll_delay=0.02,
            handle_signals=False,
        )
        self.task = asyncio.create_task(self.worker.async_run())

    async def hears(self, doorbell: Doorbell, benchmark_id: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await doorbell.ring(benchmark_id)
            while await self.heard.get() != benchmark_id:
                pass
        assert not self.task.done()

    async def misses_redis(self) -> None:
        """Until it has met a failure; and it goes on."""

        async def away() -> bool:
            return self.redis._away

        await until(away)
        assert not self.task.done()


@asynccontextmanager
async def arq_loop(url: str) -> AsyncIterator[Loop]:
    loop = Loop(url)
    try:
        yield loop
    finally:
        async with asyncio.timeout(PATIENCE_S):
            await end(loop.task)
            # Jobs end by themselves; `close` would cancel them here, and not come to its hook.
            await asyncio.gather(*loop.worker.tasks.values())
            await loop.worker.close()


@pytest.fixture
async def doorbell(redis_url: str) -> AsyncIterator[Doorbell]:
    bell = Doorbell(client_redis(redis_url))
    yield bell
    await bell.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client
        await client.config_set("maxmemory", 0)


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[Proxy]:
    parts = urlsplit(redis_url)
    async with proxy_to(str(parts.hostname), parts.port or 6379) as running:
        yield running


def through(proxy: Proxy) -> str:
    return f"redis://127.0.0.1:{proxy.port}/0"


async def test_without_redis_the_worker_starts_and_ends() -> None:
    async with arq_loop(f"redis://127.0.0.1:{free_port()}/0") as loop:
        async with asyncio.timeout(PATIENCE_S):
            await loop.started.wait()
    assert loop.stopped.is_set()


async def test_a_redis_that_swallows_everything_holds_up_neither_start_nor_end(proxy: Proxy) -> None:
    proxy.swallow = True
    async with arq_loop(through(proxy)) as loop:
        async with asyncio.timeout(PATIENCE_S):
            await loop.started.wait()
    assert loop.stopped.is_set()


async def test_it_hears_again_after_redis_was_away(proxy: Proxy, doorbell: Doorbell) -> None:
    async with arq_loop(through(proxy)) as loop:
        await loop.hears(doorbell, 1)
        await proxy.cut()
        await loop.misses_redis()
        await proxy.start()
        await loop.hears(doorbell, 2)


@pytest.mark.parametrize("chunks", range(1, 14))
async def test_a_connection_may_break_at_any_command(proxy: Proxy, doorbell: Doorbell, chunks: int) -> None:
    """Every connection breaks after so many commands, while messages are taken; then they stay."""
    proxy.cut_after = chunks
    async with arq_loop(through(proxy)) as loop:
        async with asyncio.timeout(PATIENCE_S):
            await loop.started.wait()
        for benchmark_id in range(1, 8):
            await doorbell.ring(benchmark_id)
            await asyncio.sleep(0.03)
        assert not loop.task.done()
        proxy.cut_after = None
        await loop.hears(doorbell, 99)


async def test_a_wrong_key_and_a_full_redis_are_outlived(doorbell: Doorbell, redis: Redis, redis_url: str) -> None:
    async with arq_loop(redis_url) as loop:
        await loop.hears(doorbell, 1)
        await redis.set(QUEUE_NAME, "not a queue")
        await loop.misses_redis()
        await redis.config_set("maxmemory", 1)
        assert await doorbell.ring(2) is False
        assert not loop.task.done()
        await redis.config_set("maxmemory", 0)
        await redis.flushall()
        await loop.hears(doorbell, 3)
