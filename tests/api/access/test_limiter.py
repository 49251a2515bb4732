"""Limits while Redis is away, slow, and back again: callers notice nothing but that counts are per process."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from api.access.limiter import ANSWER_WITHIN_S, MAX_KEYS, Place, RequestLimiter
from shared.access.request_limits import RequestLimits
from shared.clock import SystemClock
from shared.queue.redis import quick_redis
from shared.queue.request_limits import RedisRequestCounts
from tests.support.programs.ports import free_port
from tests.support.servers.proxy import Proxy
from tests.support.waiting import until


class Clock(SystemClock):
    """The machine's, moved forward by `later_s`."""

    def __init__(self) -> None:
        self.later_s = 0.0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + round(self.later_s * 1e9)


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[Proxy]:
    """In front of Redis."""
    parts = urlsplit(redis_url)
    between = Proxy(parts.hostname or "", parts.port or 0)
    await between.start()
    yield between
    await between.cut()


def limiter_at(port: int, clock: Clock | None = None) -> RequestLimiter:
    return RequestLimiter(RedisRequestCounts(quick_redis(f"redis://127.0.0.1:{port}/0")), clock or Clock())


async def test_without_redis_the_process_counts_for_itself() -> None:
    limiter, limits = limiter_at(free_port()), RequestLimits(3, 2)
    places = [Place("k") for _ in range(4)]
    taken = [await limiter.enter(place, limits) for place in places]
    assert [item.refused_by for item in taken] == [None, None, "concurrent", "concurrent"]
    assert [item.left for item in taken[:2]] == [2, 1]
    await limiter.leave(places[0])
    assert (await limiter.enter(places[2], limits)).refused_by is None
    await limiter.leave(places[1])
    refused = await limiter.enter(places[3], limits)
    assert refused.refused_by == "minute"
    assert 1 <= refused.wait_s <= 120
    await limiter.close()


async def test_the_minute_slides_without_redis_too() -> None:
    clock = Clock()
    limiter, limits = limiter_at(free_port(), clock), RequestLimits(2, 0)
    for expected in (None, None, "minute"):
        assert (await limiter.enter(Place("k"), limits)).refused_by == expected
    clock.later_s = 120
    assert (await limiter.enter(Place("k"), limits)).refused_by is None
    await limiter.close()


async def test_redis_goes_and_comes_back_without_an_error(proxy: Proxy) -> None:
    clock, limits = Clock(), RequestLimits(100, 2)
    limiter, other = limiter_at(proxy.port, clock), limiter_at(proxy.port)
    first, second, third = Place("k"), Place("k"), Place("k")
    assert (await limiter.enter(first, limits)).refused_by is None
    await proxy.cut()
    # The place that was taken in Redis counts here as well.
    assert (await limiter.enter(second, limits)).refused_by is None
    assert (await limiter.enter(third, limits)).refused_by == "concurrent"
    await proxy.start()
    clock.later_s = 10
    # It asks Redis again; what was taken meanwhile gets in with the next prolongation.
    await limiter.prolong()
    assert (await limiter.enter(third, limits)).refused_by == "concurrent"
    assert (await other.enter(Place("k"), limits)).refused_by == "concurrent"
    await limiter.leave(first)

    async def is_free() -> bool:
        return (await other.enter(third, limits)).refused_by is None

    await until(is_free)
    await limiter.close()
    await other.close()


async def test_a_slow_redis_holds_no_request_for_long(proxy: Proxy) -> None:
    limiter, limits = limiter_at(proxy.port), RequestLimits(100, 10)
    assert (await limiter.enter(Place("k"), limits)).refused_by is None
    proxy.swallow = True
    begin = time.monotonic()
    for _ in range(20):
        assert (await limiter.enter(Place("k"), RequestLimits(100, 0))).refused_by is None
    # One of them waited, and the others did not ask.
    assert time.monotonic() - begin < ANSWER_WITHIN_S * 6
    proxy.swallow = False
    await limiter.close()


async def test_a_place_that_ended_during_a_prolongation_does_not_come_back(redis_url: str) -> None:
    limits = RequestLimits(0, 1)
    limiter = RequestLimiter(RedisRequestCounts(quick_redis(redis_url)), Clock())
    place = Place("k")
    await limiter.enter(place, limits)
    prolonging = asyncio.create_task(limiter.prolong())
    await asyncio.sleep(0)
    await limiter.leave(place)
    await prolonging

    async def is_free() -> bool:
        return (await limiter.enter(Place("k"), limits)).refused_by is None

    await until(is_free)
    await limiter.close()


async def test_leaving_twice_frees_one_place() -> None:
    limiter, limits = limiter_at(free_port()), RequestLimits(0, 2)
    one, two = Place("k"), Place("k")
    await limiter.enter(one, limits)
    await limiter.enter(two, limits)
    await limiter.leave(one)
    await limiter.leave(one)
    assert (await limiter.enter(Place("k"), limits)).refused_by is None
    assert (await limiter.enter(Place("k"), limits)).refused_by == "concurrent"
    await limiter.close()


async def test_counts_of_many_keys_do_not_grow_for_ever() -> None:
    limiter = limiter_at(free_port())
    for number in range(MAX_KEYS + 10):
        place = Place(f"k{number}")
        await limiter.enter(place, RequestLimits(5, 5))
        await limiter.leave(place)
        if number % 200 == 0:
            await asyncio.sleep(0)
    assert len(limiter._windows) <= MAX_KEYS
    assert limiter._open == {}
    await limiter.close()
