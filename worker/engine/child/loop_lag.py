"""Measures how late this process's loop is: a selector that remembers when it slept, and samples of a timer."""

import asyncio
import selectors
from collections import Counter

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
    """Wakes every 10 ms and counts how late it woke, in a histogram."""

    def __init__(self) -> None:
        self.histogram: Counter[int] = Counter()
        self.max_ns = 0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Samples until cancelled. Uses a timer, not a task for each sample: hundreds of processes may share a core."""
        loop = asyncio.get_running_loop()
        self._arm(loop)
        try:
            await loop.create_future()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + SAMPLE_EVERY_S
        self._timer = loop.call_at(self._due, self._sample, loop)

    def _sample(self, loop: asyncio.AbstractEventLoop) -> None:
        late_ns = max(0, int((loop.time() - self._due - TIMER_RESOLUTION_S) * 1e9))
        self.max_ns = max(self.max_ns, late_ns)
        self.histogram[lag_bucket(late_ns)] += 1
        self._arm(loop)
