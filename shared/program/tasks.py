"""Ending tasks."""

import asyncio
from typing import Any

# How long a task that was cancelled has for its own tidying up before it is asked again.
ASK_AGAIN_S = 0.5


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancels tasks until all have ended, whatever with.

    Asking once is not enough. Up to Python 3.11, `asyncio.wait_for`, in which redis-py sends, loses a cancel that
    comes in the same turn of the loop as what it waits for, and the task goes on as if nothing had been said.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=ASK_AGAIN_S)
    # Looked at, so that asyncio does not report them as never retrieved.
    await asyncio.gather(*tasks, return_exceptions=True)
