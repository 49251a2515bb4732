"""Answers that last, such as streams of events: they end soon after their key was revoked or their session ended."""

from fastapi import Request

from api.access.caller import caller_of
from api.access.setup import Access
from shared.clock import Clock
from shared.errors import Unavailable

# A stream looks at most so often.
EVERY_S = 2.0


class Lasting:
    """Whether the caller of a request that is still being answered would get an answer now."""

    def __init__(self, request: Request, access: Access, clock: Clock) -> None:
        self._request = request
        self._access = access
        self._clock = clock
        self._looked_ns = clock.monotonic_ns()

    async def may_go_on(self) -> bool:
        """Looks again if the last look was some time ago. Without the database there is nothing new to tell anyway."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._looked_ns < EVERY_S * 1e9:
            return True
        self._looked_ns = now_ns
        try:
            return await self._is_welcome()
        except Unavailable:
            return True

    async def _is_welcome(self) -> bool:
        caller = caller_of(self._request)
        if caller.key_id is None:
            # Under open access, until there is a key.
            return not await self._access.keys.are_keys()
        if caller.via == "session":
            return await self._access.sessions.of(self._request.scope) is not None
        found = await self._access.keys.by_id(caller.key_id)
        return found is not None and found.state == "usable"
