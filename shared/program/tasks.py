"""Ends asyncio tasks. Used by the API, the workers and the embedded stack."""

import asyncio
from typing import Any

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
    # Retrieves the exceptions, so that asyncio does not report them as never retrieved.
    await asyncio.gather(*tasks, return_exceptions=True)
