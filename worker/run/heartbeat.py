"""Prolongs the lease of a run while it lasts."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.errors import Unavailable
from worker.patience import LONGEST_PAUSE_S, until_available


class Heartbeat:
    """`prolong` extends the lease; True if a cancel was requested, which calls `cancel`. It may raise LeaseLost."""

    def __init__(self, prolong: Callable[[], Awaitable[bool]], cancel: Callable[[], None], *, lease_s: float) -> None:
        self._prolong = prolong
        self._cancel = cancel
        self._lease_s = lease_s

    async def beat(self) -> None:
        """Prolongs the lease every third of it, for ever. Raises what `prolong` raises, but waits for the database.

        Raises Unavailable if the database has refused or kept silent for a whole lease: by then another worker may
        have taken over.
        """
        lease_s = self._lease_s
        loop = asyncio.get_running_loop()
        prolonged = loop.time()
        while True:
            await asyncio.sleep(lease_s / 3)
            begun = loop.time()
            try:
                # If this process has slept since the last try, the lease seems to be over: this one gets a third of it.
                cancel_requested = await self._prolonged(until=max(prolonged + lease_s, begun + lease_s / 3))
            except TimeoutError:
                # It may also have slept in the middle of the try. Then the lease may still be its own, and the database
                # says so at once.
                cancel_requested = await self._asked_once_more()
            prolonged = begun
            if cancel_requested:
                self._cancel()

    async def _prolonged(self, *, until: float) -> bool:
        """Raises TimeoutError at this time of the loop."""
        async with asyncio.timeout_at(until):
            # Short pauses: the last try before the lease ends must not come too late.
            return await until_available(
                self._prolong, "heartbeat_missed", longest_pause_s=min(LONGEST_PAUSE_S, self._lease_s / 20)
            )

    async def _asked_once_more(self) -> bool:
        try:
            return await self._prolonged(until=asyncio.get_running_loop().time() + self._lease_s / 10)
        except TimeoutError:
            raise Unavailable(f"the database has not answered for a whole lease of {self._lease_s:g} s") from None
