"""Measures how much of a core this process uses in its busiest second. The average over a long run would hide it."""

import asyncio
from collections import deque
from collections.abc import Callable

SAMPLE_EVERY_S = 0.1
_SECOND_NS = 1_000_000_000


class CpuSampler:
    """Looks at the CPU time ten times a second and keeps the largest share of a core over any second."""

    def __init__(self, wall_ns: Callable[[], int], cpu_ns: Callable[[], int]) -> None:
        self._wall_ns = wall_ns
        self._cpu_ns = cpu_ns
        # The samples of the latest second, and the one before: (wall, cpu).
        self._samples: deque[tuple[int, int]] = deque()
        self._busiest: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Samples until `stop`."""
        self.look()
        self._timer = loop.call_later(SAMPLE_EVERY_S, self.start, loop)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self.look()

    def look(self) -> None:
        """Takes a sample."""
        now = self._wall_ns(), self._cpu_ns()
        samples = self._samples
        samples.append(now)
        while len(samples) > 2 and now[0] - samples[1][0] >= _SECOND_NS:
            samples.popleft()
        if now[0] - samples[0][0] >= _SECOND_NS:
            self._busiest = max(self._busiest or 0.0, self._share())

    @property
    def busiest(self) -> float | None:
        """The largest share. Over the whole time if that was shorter than a second; None before the second sample."""
        if self._busiest is None and len(self._samples) > 1:
            return self._share()
        return self._busiest

    def _share(self) -> float:
        (begin_ns, begin_cpu_ns), (end_ns, end_cpu_ns) = self._samples[0], self._samples[-1]
        # Helper threads, such as those that resolve names, may use more than the one core of the loop.
        return min(1.0, (end_cpu_ns - begin_cpu_ns) / max(1, end_ns - begin_ns))
