"""Makes sure that what a worker claims is handed over or given back. For the repositories that claim."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from shared.errors import Unavailable
from shared.program.tasks import to_the_end

Claim = TypeVar("Claim")
T = TypeVar("T")


class HandOver(Generic[Claim]):
    """Remembers claims that may be stored although nobody got them: after a cancel, or a lost answer to a commit."""

    def __init__(self, give_back: Callable[[Claim], Awaitable[None]]) -> None:
        """`give_back` changes nothing if the claim is not stored."""
        self._give_back = give_back
        self._unowned: list[Claim] = []

    async def of(self, claim: Callable[[list[Claim]], Awaitable[T]]) -> T:
        """Returns what `claim` returns. `claim` adds to its list, before the commit, what it takes."""
        await self.give_back()
        taken: list[Claim] = []
        try:
            return await claim(taken)
        except BaseException:
            self._unowned += taken
            await to_the_end(self._try_to_give_back())
            raise

    async def give_back(self) -> None:
        """Gives back what nobody got. Raises Unavailable."""
        while self._unowned:
            # Taken out first: the loop of claims and the end of the worker may both be here.
            claim = self._unowned.pop()
            try:
                await self._give_back(claim)
            except BaseException:
                self._unowned.append(claim)
                raise

    async def _try_to_give_back(self) -> None:
        # While the database is away, this waits for the next claim or the end of the worker.
        with contextlib.suppress(Unavailable):
            await self.give_back()
