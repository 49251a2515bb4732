"""Tasks end although a library loses a cancel."""

import asyncio
import contextlib
import gc
import weakref

import pytest

from shared.program.tasks import end, ended, to_the_end
from shared.queue.redis import client_redis
from tests.support.waiting import PATIENCE_S


async def test_a_task_that_loses_a_cancel_is_asked_again() -> None:
    asked = 0
    began = asyncio.Event()

    async def stubborn() -> None:
        nonlocal asked
        for _ in range(2):
            with contextlib.suppress(asyncio.CancelledError):
                began.set()
                await asyncio.Event().wait()
            asked += 1

    task = asyncio.create_task(stubborn())
    await began.wait()
    async with asyncio.timeout(PATIENCE_S):
        await end(task)
    assert asked == 2


async def test_tasks_that_failed_or_ended_are_nothing_to_wait_for() -> None:
    async def fail() -> None:
        raise ValueError

    tasks = [asyncio.create_task(fail()), asyncio.create_task(asyncio.sleep(0))]
    await asyncio.wait(tasks)
    await end(*tasks)
    await end()


class Held:
    """Something that a task has in a variable."""


async def test_nothing_that_an_ended_task_had_is_kept() -> None:
    held: list[weakref.ref[Held]] = []

    async def work() -> None:
        mine = Held()
        held.append(weakref.ref(mine))
        await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end(task)
    del task
    gc.collect()
    assert [reference() for reference in held] == [None]


async def test_clients_of_redis_end_whenever_they_are_asked(redis_url: str) -> None:
    """On Python 3.11 a good part of these cancels comes at a moment at which redis-py loses it."""
    redis = client_redis(redis_url)

    async def busy() -> None:
        while True:
            await redis.ping()

    tasks = []
    for turns in range(40):
        tasks.append(asyncio.create_task(busy()))
        for _ in range(turns):
            await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await end(*tasks)
    await redis.aclose(close_connection_pool=True)


async def test_a_cancel_of_the_caller_waits_for_the_end() -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def operation() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    caller = asyncio.create_task(to_the_end(operation()))
    await begun.wait()
    caller.cancel()
    await asyncio.sleep(0)
    caller.cancel()
    go_on.set()
    await asyncio.wait([caller])
    assert done.is_set()
    assert caller.cancelled()


async def test_an_operation_without_a_cancel_returns_or_raises() -> None:
    async def operation(divisor: int) -> float:
        return 1 / divisor

    assert await to_the_end(operation(2)) == 0.5
    with pytest.raises(ZeroDivisionError):
        await to_the_end(operation(0))


async def test_after_a_cancel_an_operation_that_hangs_is_cancelled_as_well() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    assert await ended(task, patience_s=0.01) is False
    await asyncio.wait([task])
    assert task.cancelled()
