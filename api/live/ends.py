"""Waits for the ends of benchmarks, for `Prefer: wait=`.

One task of the process reads the statuses of all benchmarks that anybody waits for, in one statement. So a look costs
about the same however many clients wait, and a slow database is asked less often.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

import structlog

from api.live.outage import Outage
from shared.benchmark.status import TERMINAL, Status
from shared.clock import Clock
from shared.db.access.missing import no_benchmark
from shared.db.tables.benchmarks import Benchmark

log = structlog.get_logger(__name__)

# Between two looks at the database: this share of how long the latest client has waited, within these bounds.
PAUSE_SHARE = 0.3
SHORTEST_S, LONGEST_S = 0.02, 0.5

# Statuses of benchmarks by their ids, of those that there are.
ReadStatuses = Callable[[Collection[int]], Awaitable[Mapping[int, Status]]]


@dataclass(slots=True, eq=False)
class _Wait:
    benchmark_id: int
    since_ns: int
    # True: the benchmark has ended. False: nobody looks any more.
    ended: asyncio.Future[bool]


class Ends:
    """All waits of the process."""

    def __init__(self, read_statuses: ReadStatuses, clock: Clock, *, longest_s: float = LONGEST_S) -> None:
        """`longest_s`: between two looks at the most."""
        self._read_statuses = read_statuses
        self._clock = clock
        self._longest_s = longest_s
        self._waits: set[_Wait] = set()
        self._watching: asyncio.Task[None] | None = None
        self._has_news = asyncio.Event()
        self._is_closed = False

    async def wait_for(self, benchmark: Benchmark, seconds: float) -> bool:
        """True if it ended within so many seconds; False if not, or if the process stops. Raises NotFound if deleted.

        While the database does not answer, the client waits on: its benchmark is stored.
        """
        if self._is_closed:
            return False
        wait = _Wait(benchmark.id, self._clock.monotonic_ns(), asyncio.get_running_loop().create_future())
        self._waits.add(wait)
        self._has_news.set()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(seconds):
                return await wait.ended
        except TimeoutError:
            return False
        finally:
            self._waits.discard(wait)
            if not self._waits:
                self._stop_watching()

    def close(self) -> None:
        """Ends all waits at once, and those that come later. For the end of the process."""
        self._is_closed = True
        self._let_go()

    def _stop_watching(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def _let_go(self) -> None:
        for wait in self._waits:
            if not wait.ended.done():
                wait.ended.set_result(False)

    async def _watch(self) -> None:
        looked_ns = self._clock.monotonic_ns()
        outage = Outage("waits_go_on")
        try:
            while True:
                await self._pause_since(looked_ns)
                with outage.bridged():
                    await self._look()
                looked_ns = self._clock.monotonic_ns()
        except Exception:
            log.exception("waits_failed")
            self._watching = None
            self._let_go()

    async def _pause_since(self, looked_ns: int) -> None:
        """Until the next look is due. A client that comes meanwhile makes it due earlier."""
        while True:
            self._has_news.clear()
            now_ns = self._clock.monotonic_ns()
            latest_s = (now_ns - max(wait.since_ns for wait in self._waits)) / 1e9
            pause_s = min(max(PAUSE_SHARE * latest_s, SHORTEST_S), self._longest_s)
            left_s = pause_s - (now_ns - looked_ns) / 1e9
            if left_s <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._has_news.wait()

    async def _look(self) -> None:
        looked_for = list(self._waits)
        statuses = await self._read_statuses({wait.benchmark_id for wait in looked_for})
        for wait in looked_for:
            if wait.ended.done():
                continue
            status = statuses.get(wait.benchmark_id)
            if status is None:
                wait.ended.set_exception(no_benchmark(wait.benchmark_id))
            elif status in TERMINAL:
                wait.ended.set_result(True)
