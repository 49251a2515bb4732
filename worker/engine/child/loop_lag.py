"""Measures how late this process's loop is: a selector that remembers when it slept, and samples of a timer."""

import asyncio
import selectors
from collections import Counter
from collections.abc import Callable

from shared.clock import monotonic_ns
from shared.numbers.lag import lag_bucket

SAMPLE_EVERY_S = 0.01
# epoll rounds timeouts up to whole milliseconds, so a timer may be this late on an idle loop.
TIMER_RESOLUTION_S = 0.001
# If the selector returned sooner than this, something was ready already.
_WAITED_NS = 30_000


class WakefulSelector(selectors.DefaultSelector):
    """The loop's selector. It remembers the times of its last two looks (monotonic ns)."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_ns = self.entered_ns = self.returned_ns = monotonic_ns()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # Everything that had arrived before the previous look was read after it.
        self.looked_ns = self.entered_ns
        self.entered_ns = monotonic_ns()
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(timeout)
        self.returned_ns = monotonic_ns()
        return ready

    @property
    def waited(self) -> bool:
        """Whether nothing was ready at the latest look, so that it waited until something arrived."""
        return self.returned_ns - self.entered_ns > _WAITED_NS


class LagSampler:
    """Wakes every 10 ms and notes how late it woke while requests were in flight.

    A loop that stands still takes no samples. So each sample counts for as many periods as it covers: the histogram
    says for how much of the time the loop was how late.
    """

    def __init__(self, in_flight: Callable[[], bool]) -> None:
        self.histogram: Counter[int] = Counter()
        self.max_ns = 0
        self._in_flight = in_flight
        # When the latest sample was taken, and whether a request was in flight then.
        self._at = 0.0
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Samples until `stop`. Uses a timer, not a task for each sample: hundreds of processes may share a core."""
        self._at = loop.time()
        self._arm(loop)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._busy = self._in_flight()
        self._timer = loop.call_at(self._at + SAMPLE_EVERY_S, self._sample, loop)

    def _sample(self, loop: asyncio.AbstractEventLoop) -> None:
        before, self._at = self._at, loop.time()
        # A request that began or ended within the period is in flight at one of its ends.
        if self._busy or self._in_flight():
            covered_s = self._at - before
            late_ns = max(0, int((covered_s - SAMPLE_EVERY_S - TIMER_RESOLUTION_S) * 1e9))
            self.max_ns = max(self.max_ns, late_ns)
            self.histogram[lag_bucket(late_ns)] += max(1, round(covered_s / SAMPLE_EVERY_S))
        self._arm(loop)
