"""Counts of keys in a real Redis: shared by all processes, exact at once, and free of dead processes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.access.request_limits import RequestLimits
from shared.queue.redis import quick_redis
from shared.queue.request_limits import RedisRequestCounts
from tests.support.waiting import until


@pytest.fixture
async def processes(redis_url: str) -> AsyncIterator[list[RedisRequestCounts]]:
    """As two API processes have them."""
    made = [RedisRequestCounts(quick_redis(redis_url)) for _ in range(2)]
    yield made
    for counts in made:
        await counts.close()


async def test_the_minute_is_shared_by_all_processes(processes: list[RedisRequestCounts]) -> None:
    limits = RequestLimits(3, 0)
    decisions = [await processes[number % 2].enter("k", f"p{number}", limits) for number in range(5)]
    assert [item.refused_by for item in decisions] == [None, None, None, "minute", "minute"]
    assert [item.left for item in decisions] == [2, 1, 0, 0, 0]
    assert all(1 <= item.reset_s <= 60 for item in decisions)
    # Another key has a count of its own.
    assert (await processes[0].enter("other", "p", limits)).refused_by is None


async def test_requests_at_once_never_get_more_places_than_there_are(processes: list[RedisRequestCounts]) -> None:
    limits = RequestLimits(0, 5)
    decisions = await asyncio.gather(*(processes[number % 2].enter("k", f"p{number}", limits) for number in range(30)))
    assert sorted(item.refused_by or "" for item in decisions) == [""] * 5 + ["concurrent"] * 25
    assert all(item.places_left == 0 for item in decisions if item.refused_by)


async def test_a_place_that_is_left_is_free_for_another_process(processes: list[RedisRequestCounts]) -> None:
    one, two = processes
    limits = RequestLimits(0, 1)
    assert (await one.enter("k", "a", limits)).refused_by is None
    assert (await two.enter("k", "b", limits)).refused_by == "concurrent"
    await one.leave("k", ["a"])
    assert (await two.enter("k", "b", limits)).refused_by is None


async def test_what_is_refused_is_not_counted(processes: list[RedisRequestCounts]) -> None:
    one = processes[0]
    await one.enter("k", "a", RequestLimits(10, 1))
    for number in range(5):
        assert (await one.enter("k", f"r{number}", RequestLimits(10, 1))).refused_by == "concurrent"
    await one.leave("k", ["a"])
    assert (await one.enter("k", "b", RequestLimits(10, 1))).left == 8


async def test_the_places_of_a_dead_process_lapse_and_those_of_a_living_one_do_not(redis_url: str) -> None:
    dead = RedisRequestCounts(quick_redis(redis_url), lease_s=0.3)
    living = RedisRequestCounts(quick_redis(redis_url), lease_s=0.3)
    limits = RequestLimits(0, 2)
    await dead.enter("k", "of-dead", limits)
    await living.enter("k", "of-living", limits)

    async def is_free() -> bool:
        await living.prolong("k", ["of-living"])
        return (await living.enter("k", "third", limits)).refused_by is None

    assert not await is_free()
    await until(is_free)
    # The third has the place of the dead one; the living one still has its own.
    assert (await living.enter("k", "fourth", limits)).refused_by == "concurrent"
    for counts in (dead, living):
        await counts.close()


async def test_a_place_comes_back_after_redis_was_emptied(processes: list[RedisRequestCounts], redis_url: str) -> None:
    one, two = processes
    await one.enter("k", "a", RequestLimits(0, 1))
    async with quick_redis(redis_url) as client:
        await client.flushdb()
    await one.prolong("k", ["a"])
    assert (await two.enter("k", "b", RequestLimits(0, 1))).refused_by == "concurrent"


async def test_nothing_stays_in_redis_for_ever(processes: list[RedisRequestCounts], redis_url: str) -> None:
    await processes[0].enter("k", "a", RequestLimits(5, 5))
    async with quick_redis(redis_url) as client:
        names = await client.keys("llmbench:limits:*")
        assert len(names) == 2
        for name in names:
            assert 0 < await client.pttl(name) <= 120_000
