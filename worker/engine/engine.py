"""Runs a plan: warm-up first, then the measured requests, every slot of the concurrency busy until none is left."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from shared.clock import Clock
from shared.results import ResultRecord
from worker.engine.measurer import Measurer, PlannedRequest


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, and how many at the same time. Warm-up ends before the first measured request is due."""

    warmup: Sequence[PlannedRequest]
    measured: Sequence[PlannedRequest]
    concurrency: int


class Engine:
    """Closed-loop load: one request ends, the next is sent."""

    def __init__(self, measurer: Measurer, clock: Clock) -> None:
        self._measurer = measurer
        self._clock = clock
        self._stopping = False
        self._slots: list[asyncio.Task[None]] = []

    async def run(self, plan: Plan) -> AsyncIterator[ResultRecord]:
        """Yields a record for each request as it ends. Leaving the iterator early closes every stream."""
        for phase in (plan.warmup, plan.measured):
            async for record in self._phase(phase, plan.concurrency):
                yield record

    def drain(self) -> None:
        """Sends nothing more; requests in flight go on and are yielded."""
        self._stopping = True

    def cancel(self) -> None:
        """Sends nothing more and closes the streams in flight; their records come with the outcome `cancelled`."""
        self._stopping = True
        for slot in self._slots:
            slot.cancel()

    async def _phase(self, requests: Sequence[PlannedRequest], concurrency: int) -> AsyncIterator[ResultRecord]:
        waiting = deque(requests)
        ended: asyncio.Queue[ResultRecord | None] = asyncio.Queue()
        scheduled_ns = self._clock.monotonic_ns()

        async def slot() -> None:
            while waiting and not self._stopping:
                # `measure` answers a cancel with a record, so that nothing paid for is lost.
                ended.put_nowait(await self._measurer.measure(waiting.popleft(), scheduled_ns))

        async def all_slots() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    self._slots = [group.create_task(slot()) for _ in range(min(concurrency, len(requests)))]
            finally:
                ended.put_nowait(None)

        running = asyncio.create_task(all_slots())
        try:
            while (record := await ended.get()) is not None:
                yield record
        finally:
            self._stopping = self._stopping or not running.done()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            self._slots = []
        running.result()
