"""How far ahead of its results a run may send: what is sent is known to the database before.

Requests are marked as dispatched in blocks, in the transaction that stores results, before they go out. After a
crash, those that are marked and have no result may have reached the provider. So the window is as small as it can be
without making a slot wait: what is in flight, as many to follow, and what ends while a transaction commits. It is
also what bounds the results that wait for a database which is away: without commits nothing more is sent.
"""

from collections.abc import Sequence


class DispatchWindow:
    """`sendable`: how many requests of the plan may go out once `mark` is stored."""

    def __init__(self, places: Sequence[int], concurrency: int) -> None:
        """`places`: of each request of the plan, where it stands in the order of all slots; ascending."""
        self._places = places
        self._concurrency = concurrency
        self._stored = 0
        self.sendable = 0
        self._open_to(2 * concurrency)

    @property
    def mark(self) -> int:
        """Every slot before this place may have been sent, if it has no result."""
        return self._places[self.sendable - 1] + 1 if self.sendable else 0

    def advance(self, stored: int) -> None:
        """So many more results are about to be stored: as many may end again before the next commit."""
        self._stored += stored
        self._open_to(self._stored + 2 * (self._concurrency + stored))

    def _open_to(self, count: int) -> None:
        self.sendable = max(self.sendable, min(count, len(self._places)))
