"""Waiting for what must come. Only a test that fails waits to the end, so the bound is far above what is usual."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

# A busy machine with two slow cores takes many times as long as an idle one.
PATIENCE_S = 120.0
_LOOK_EVERY_S = 0.02


async def until(look: Callable[[], Awaitable[T]]) -> T:
    """What `look` finds, once it is true. For what tells nobody when it changes, as a row in a database."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await look()):
            await asyncio.sleep(_LOOK_EVERY_S)
    return found


def wait_until(look: Callable[[], T]) -> T:
    """The same for programs that a test without a loop has started."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"never came true within {PATIENCE_S:g} s")
        time.sleep(_LOOK_EVERY_S)
    return found
