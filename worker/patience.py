"""Tries again while the database is away. The run's heartbeat ends the wait when the lease is over."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from shared.errors import Unavailable

log = structlog.get_logger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0

T = TypeVar("T")


async def until_available(
    operation: Callable[[], Awaitable[T]], event: str, *, longest_pause_s: float = LONGEST_PAUSE_S
) -> T:
    """Returns what the operation returns. While it raises Unavailable, logs `event` and tries again, with backoff.

    The operation must be safe to repeat: a commit may have happened although its answer was lost.
    """
    pause_s = min(FIRST_PAUSE_S, longest_pause_s)
    while True:
        try:
            return await operation()
        except Unavailable as exc:
            log.warning(event, error=exc.reason)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, longest_pause_s)
