"""Ends asyncio tasks. Used by the API, the workers and the embedded stack."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# How long a cancelled caller of `to_the_end` waits.
PATIENCE_S = 1.0
# A cancelled task has this long to clean up before it is cancelled again.
ASK_AGAIN_S = 0.5


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancels tasks until all have ended. Their results and exceptions are dropped.

    One cancel is not enough. redis-py sends inside `asyncio.wait_for`, which up to Python 3.11 loses a cancel that
    arrives in the same turn of the loop as the result that it waits for. The task then continues.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=ASK_AGAIN_S)
    for task in tasks:
        if not task.cancelled():
            # Retrieved, so that asyncio does not report it as never retrieved. `gather` would do so too, and would keep
            # the exceptions, with all that their frames refer to, until a later turn of the loop.
            task.exception()


async def to_the_end(operation: Coroutine[Any, Any, T]) -> T:
    """Runs an operation that a cancel of the caller does not cut off. The cancel is raised at its end.

    An operation that takes too long after the cancel is cancelled as well.
    """
    task = asyncio.create_task(operation)
    if await ended(task):
        raise asyncio.CancelledError
    return task.result()


async def ended(task: "asyncio.Task[Any]", *, patience_s: float | None = None) -> bool:
    """Waits until the task has ended. True if the caller was cancelled meanwhile, which is not raised.

    `patience_s`: after so long, the task is cancelled and no longer waited for. None: only after a cancel of the caller
    there is such a limit, of PATIENCE_S.
    """
    clock = asyncio.get_running_loop().time
    give_up = None if patience_s is None else clock() + patience_s
    cancelled = False
    while not task.done() and (give_up is None or clock() < give_up):
        try:
            await asyncio.wait([task], timeout=None if give_up is None else give_up - clock())
        except asyncio.CancelledError:
            cancelled = True
            give_up = give_up or clock() + PATIENCE_S
    if not task.done():
        task.cancel()
    return cancelled
