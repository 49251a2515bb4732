"""Waits for a database that is away. The run's heartbeat says when there is no more use in it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from shared.errors import Unavailable

log = structlog.get_logger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0

T = TypeVar("T")


async def until_available(operation: Callable[[], Awaitable[T]], event: str) -> T:
    """What the operation returns, tried again with backoff while it raises Unavailable; each time `event` is logged.

    It must be one that may be done twice: a commit whose answer was lost has happened.
    """
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await operation()
        except Unavailable as exc:
            log.warning(event, error=exc.message)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
