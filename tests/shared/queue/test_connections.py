"""Connections to a real Redis: how they are let go."""

import asyncio
import time

from redis.asyncio import Redis

from shared.queue.redis import connection_pool


async def test_a_connection_that_does_not_close_in_time_is_no_error(redis_url: str) -> None:
    redis = Redis(connection_pool=connection_pool(redis_url, timeout_s=0.05))
    await redis.set("a", "b")

    async def keep_the_loop_busy() -> None:
        # The closing has begun, and cannot be seen to end before its timeout.
        await asyncio.sleep(0)
        begin = time.monotonic()
        while time.monotonic() < begin + 0.1:
            pass

    await asyncio.gather(redis.aclose(close_connection_pool=True), keep_the_loop_busy())
