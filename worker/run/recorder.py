"""Writes results as they come: whatever has ended since the last transaction goes into the next one."""

import asyncio
from collections import deque
from collections.abc import Callable

from shared.benchmark.record import ResultRecord
from shared.clock import Clock
from shared.db.leases import Lease
from shared.db.results import ResultRepository
from worker.patience import until_available
from worker.run.send_window import DispatchWindow

# Rows in one INSERT; SQLite and PostgreSQL bound the parameters of a statement.
MAX_BATCH = 200
# Between two transactions as long as the last one took: half of the time is left to others.
MIN_PAUSE_S, MAX_PAUSE_S = 0.02, 0.25


class Recorder:
    """A queue in front of the database: measuring never waits for a commit; a first result is committed at once."""

    def __init__(
        self,
        repository: ResultRepository,
        lease: Lease,
        clock: Clock,
        window: DispatchWindow,
        on_sendable: Callable[[int], None],
    ) -> None:
        """`on_sendable` hears how many requests of the plan may be sent, once that is stored."""
        self._repository = repository
        self._lease = lease
        self._clock = clock
        self._window = window
        self._on_sendable = on_sendable
        self._waiting: deque[ResultRecord] = deque()
        self._more = asyncio.Event()
        self._closed = asyncio.Event()

    def add(self, record: ResultRecord) -> None:
        self._waiting.append(record)
        self._more.set()

    def close(self) -> None:
        """No more records; `run` ends once all are stored."""
        self._closed.set()
        self._more.set()

    async def run(self) -> None:
        """Stores until closed. Raises LeaseLost where the benchmark is no longer ours."""
        while True:
            await self._more.wait()
            if not self._waiting:
                return
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
            if not self._waiting and not self._closed.is_set():
                self._more.clear()
            begin_ns = self._clock.monotonic_ns()
            await self._store(batch)
            took_s = (self._clock.monotonic_ns() - begin_ns) / 1e9
            await self._pause(min(max(took_s, MIN_PAUSE_S), MAX_PAUSE_S))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass

    async def _store(self, batch: list[ResultRecord]) -> None:
        self._window.advance(len(batch))
        sendable, mark = self._window.sendable, self._window.mark
        await until_available(lambda: self._repository.record(self._lease, batch, mark), "results_wait")
        self._on_sendable(sendable)
