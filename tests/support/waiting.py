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


async def quickest(seconds: float, attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` gives, which must come within so many seconds in one of three times.

    A busy machine makes one slow; a promise of the product that does not hold makes all of them slow.
    """
    took: list[str] = []
    for _ in range(3):
        begin = time.monotonic()
        found = await attempt()
        took_s = time.monotonic() - begin
        if took_s <= seconds:
            return found
        took.append(f"{took_s:.1f} s")
    raise AssertionError(f"took {', '.join(took)}; at least once it must take no more than {seconds:g} s")


def wait_until(look: Callable[[], T]) -> T:
    """The same for programs that a test without a loop has started."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"never came true within {PATIENCE_S:g} s")
        time.sleep(_LOOK_EVERY_S)
    return found
