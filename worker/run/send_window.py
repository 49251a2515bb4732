"""Limits how far ahead of its stored results a run may send, so that every request is marked before it is sent.

Places are marked in blocks, in the transaction that stores results. After a crash, a marked place without a result may
have reached the provider. So the window is as small as it can be without making a slot wait: the requests in flight, as
many to follow them, and those that end while a transaction commits. The window also bounds the results that wait while
the database is away: without commits nothing more is sent.
"""

from collections.abc import Iterator


class SendWindow:
    """Every place below `mark` may be sent once the mark is stored."""

    def __init__(self, open_places: Iterator[int], concurrency: int) -> None:
        """`open_places`: the places that are not finished, in rising order; it may be endless."""
        self._open_places = open_places
        self._concurrency = concurrency
        self._finished = 0
        self._opened = 0
        self.mark = 0
        self._open_to(2 * concurrency)

    def advance(self, finished: int) -> None:
        """Called before results that finish this many places are stored. As many may end before the next commit."""
        self._finished += finished
        self._open_to(self._finished + 2 * (self._concurrency + finished))

    def _open_to(self, count: int) -> None:
        while self._opened < count and (place := next(self._open_places, None)) is not None:
            self._opened += 1
            self.mark = place + 1
