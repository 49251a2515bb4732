"""Limits how far ahead of its stored results a run may send, so that every request is marked before it is sent.

Places are marked in blocks, in the transaction that stores results. After a crash, a marked place without a result may
have reached the provider. So at most twice the concurrency is marked beyond what is stored: the requests in flight, and
one more for each slot. In an open loop with few slots and a high rate it is the requests of a second instead of one
more for each slot. This delays no request as long as no slot ends two of them before one is stored. The window
opens further only if requests that take less than FAST_S are faster than the database for several transactions, and
never beyond MOST_AHEAD: results that wait are in memory, and a database that stays slower than the requests sets their
pace. It also bounds the results that wait while the database is away: without commits nothing more is sent.
"""

from collections import deque
from collections.abc import Iterator

# For longer requests, a database that is this slow is as good as away: the window stays as it is.
FAST_S = 0.1
# The most places beyond those in flight that a slow database adds. A waiting result takes some 10 kB.
MOST_AHEAD = 2_000
# So many transactions in a row must be slower than the requests. A single slow one delays two.
_LASTING = 3


class SendWindow:
    """Every place below `mark` may be sent once the mark is stored."""

    def __init__(
        self, open_places: Iterator[int], concurrency: int, ahead: int = 0, *, keep_opened: bool = False
    ) -> None:
        """`open_places`: the places that are not finished, in rising order; it may be endless.

        `ahead`: how many may be marked beyond those in flight, if that is more than the concurrency. `keep_opened`:
        each place costs money, and `take_opened` gives them.
        """
        self._open_places = open_places
        self.concurrency = concurrency
        self._keep_opened = keep_opened
        self._new: list[int] = []
        # How many of the places below the mark may not be sent yet, because nobody has paid for them.
        self.unpaid = 0
        self._ahead = max(concurrency, ahead)
        self._opened = 0
        self._all_open = False
        self._ended = 0
        self._stored = 0
        # How much had ended and was not stored, at the ends of the last transactions; 0 if the requests were not fast.
        self._peaks = deque([0] * _LASTING, maxlen=_LASTING)
        self.mark = 0
        self._open_to(concurrency + self._ready)

    @property
    def short(self) -> bool:
        """Whether at most half of the places beyond those in flight are left. Then results are urgent."""
        if self.unpaid:
            return True
        return not self._all_open and self._opened - self._ended - self.concurrency <= self._ahead // 2

    def take_opened(self) -> list[int]:
        """The places that came below the mark since it was last asked."""
        new, self._new = self._new, []
        return new

    def ended(self) -> None:
        """A place has ended, and its result waits to be stored."""
        self._ended += 1

    def advance(self, finished: int) -> None:
        """Called before results that finish this many places are stored."""
        self._open_to(self._stored + finished + self.concurrency + self._ready)

    def stored(self, finished: int, *, fast: bool) -> None:
        """Called after these results were stored. `fast`: each of their requests took less than FAST_S."""
        self._peaks.append(self._ended - self._stored if fast else 0)
        self._stored += finished

    @property
    def _ready(self) -> int:
        """How many places may be marked beyond those in flight."""
        # More than the concurrency means that slots had to wait.
        lasting = min(self._peaks)
        return self._ahead if lasting <= self._ahead else max(self._ahead, min(2 * lasting, MOST_AHEAD))

    def _open_to(self, count: int) -> None:
        while self._opened < count and not self._all_open:
            place = next(self._open_places, None)
            if place is None:
                self._all_open = True
            else:
                self._opened += 1
                self.mark = place + 1
                if self._keep_opened:
                    self._new.append(place)
