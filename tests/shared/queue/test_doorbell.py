"""The doorbell on a real Redis: heard at once, kept for later, and no error of its own where Redis is away."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from arq.constants import job_key_prefix
from redis.asyncio import Redis

from shared.errors import Unavailable
from shared.program.tasks import end
from shared.queue.doorbell import CHANNEL, RING_FUNCTION, Bell, Doorbell
from shared.queue.redis import QUEUE_NAME, client_redis, deserialize
from tests.support.programs.ports import free_port
from tests.support.waiting import PATIENCE_S, quickest


@pytest.fixture
async def bell(redis_url: str) -> AsyncIterator[Doorbell]:
    doorbell = Doorbell(client_redis(redis_url))
    yield doorbell
    await doorbell.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


class Listener:
    """Collects what a worker's doorbell hears."""

    def __init__(self, url: str, redis: Redis) -> None:
        self._doorbell = Doorbell(client_redis(url))
        self._redis = redis
        self.heard: asyncio.Queue[Bell] = asyncio.Queue()

    async def __aenter__(self) -> "Listener":
        self._task = asyncio.create_task(self._listen())
        await self.subscribed()
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._task)
        await self._doorbell.close()

    async def subscribed(self) -> None:
        """Redis counts subscribers and tells nobody when there is one more, so it is asked until there is."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self._redis.pubsub_numsub(CHANNEL))[0][1] == 0:
                await asyncio.sleep(0.01)

    async def next(self) -> Bell:
        async with asyncio.timeout(PATIENCE_S):
            return await self.heard.get()

    async def _listen(self) -> None:
        async for bell in self._doorbell.listen():
            self.heard.put_nowait(bell)


@pytest.fixture
async def listener(redis_url: str, redis: Redis) -> AsyncIterator[Listener]:
    async with Listener(redis_url, redis) as running:
        yield running


async def test_a_ring_is_heard_by_who_listens(bell: Doorbell, listener: Listener) -> None:
    assert await bell.ring(7)
    assert await listener.next() == Bell("pending", 7)


async def test_a_cancel_is_heard_by_who_listens(bell: Doorbell, listener: Listener) -> None:
    assert await bell.announce_cancel(7)
    assert await listener.next() == Bell("cancel", 7)


@pytest.mark.parametrize(
    "message", [b"", b"pending", b"pending:", b"pending:x", b"pending:-1", b"other:1", b"\xff\xfe:1"]
)
async def test_a_message_that_is_no_bell_is_passed_over(
    bell: Doorbell, redis: Redis, listener: Listener, message: bytes
) -> None:
    await redis.publish(CHANNEL, message)
    await bell.ring(8)
    assert await listener.next() == Bell("pending", 8)


async def test_a_listener_comes_back_after_its_connection_was_killed(
    bell: Doorbell, redis: Redis, listener: Listener
) -> None:
    for benchmark_id in (1, 2):
        assert await redis.client_kill_filter(_type="pubsub") == 1
        await listener.subscribed()
        assert await bell.ring(benchmark_id)
        assert await listener.next() == Bell("pending", benchmark_id)


async def test_a_ring_goes_on_after_its_connection_was_killed(bell: Doorbell, redis: Redis) -> None:
    assert await bell.ring(1)
    assert await redis.client_kill_filter(_type="normal", skipme=True) >= 1
    assert await bell.ring(2)
    assert await redis.zcard(QUEUE_NAME) == 2


async def test_a_ring_waits_in_the_queue_for_who_comes_later(bell: Doorbell, redis: Redis) -> None:
    """As JSON that names the function and the id, and nothing else of the benchmark."""
    assert await bell.ring(7)
    assert await redis.zrange(QUEUE_NAME, 0, -1) == [b"benchmark:7"]
    message = await redis.get(f"{job_key_prefix}benchmark:7")
    document = orjson.loads(message)
    assert deserialize(message) == document
    assert document["f"] == RING_FUNCTION
    assert document["a"] == [7]
    assert document["k"] == {}


async def test_a_benchmark_that_is_rung_twice_waits_once(bell: Doorbell, redis: Redis) -> None:
    assert await bell.ring(7)
    assert await bell.ring(7)
    assert await redis.zcard(QUEUE_NAME) == 1


def test_a_pickled_message_is_never_loaded() -> None:
    """Loading a pickle runs what it says."""
    with pytest.raises(orjson.JSONDecodeError):
        deserialize(b"\x80\x04\x8c\x05posix\x94.")


async def test_without_redis_a_ring_fails_quickly_and_raises_nothing() -> None:
    doorbell = Doorbell(client_redis(f"redis://127.0.0.1:{free_port()}/0"))
    assert await quickest(3, lambda: doorbell.ring(7)) is False
    assert await quickest(3, lambda: doorbell.announce_cancel(7)) is False
    await doorbell.close()


async def test_a_redis_that_accepts_and_never_answers_delays_a_ring_by_three_seconds_at_most() -> None:
    async def never_answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    ended = asyncio.Event()
    async with await asyncio.start_server(never_answer, "127.0.0.1") as server:
        url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        doorbell = Doorbell(client_redis(url))
        assert await quickest(3, lambda: doorbell.ring(7)) is False
        ended.set()
        await doorbell.close()


async def test_a_check_passes_with_redis_and_says_unavailable_without(bell: Doorbell) -> None:
    await bell.check()
    gone = Doorbell(client_redis(f"redis://127.0.0.1:{free_port()}/0"))
    with pytest.raises(Unavailable, match="Redis does not answer: ConnectionError"):
        await gone.check()
    await gone.close()
