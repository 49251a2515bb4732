"""Keeps the concurrency: every slot takes the next request as soon as its last one has ended."""

import asyncio
from collections import deque
from collections.abc import Sequence

from shared.clock import monotonic_ns
from worker.engine.child.outbox import Outbox, Stream
from worker.engine.child.slot import Slot
from worker.engine.messages import Dropped, Opened, Request


class Load:
    """The slots of one run, and the requests that wait for one of them."""

    def __init__(self, slots: Sequence[Slot], outbox: Outbox) -> None:
        self._slots = slots
        self._outbox = outbox
        self._waiting: deque[Request] = deque()
        self._idle: deque[asyncio.Future[Request]] = deque()
        self._live: dict[int, tuple[Slot, Stream]] = {}
        self._held = True
        # Since when slots may send: those of a phase are free when it starts.
        self._free_ns = 0
        self._stopping = False

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is in flight."""
        return not self._waiting and not self._live

    async def open(self) -> None:
        """Makes every slot's connection."""
        await asyncio.gather(*(slot.open() for slot in self._slots))

    async def run(self) -> None:
        """Sends until cancelled."""
        self._outbox.say(Opened())
        async with asyncio.TaskGroup() as group:
            for slot in self._slots:
                group.create_task(self._work(slot))

    def add(self, requests: Sequence[Request]) -> None:
        """More to send, in this order."""
        if self._stopping:
            return self._outbox.say(Dropped([request.id for request in requests]))
        for request in requests:
            (self._waiting.appendleft if request.first else self._waiting.append)(request)
        return self._hand_out()

    def hold(self) -> None:
        """Keeps what comes until `go`; what is in flight goes on."""
        self._held = True

    def go(self) -> None:
        """All slots take what waits, in the same turn of the loop."""
        self._held = False
        self._free_ns = monotonic_ns()
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._idle and not self._held:
            idle = self._idle.popleft()
            if not idle.done():
                idle.set_result(self._waiting.popleft())

    def abort(self, request_id: int) -> None:
        """Closes a stream of which the worker has heard enough."""
        if request_id in self._live:
            slot, stream = self._live[request_id]
            stream.mute()
            slot.abort()

    def drain(self) -> None:
        """Sends nothing more."""
        self._stopping = True
        self._outbox.say(Dropped([request.id for request in self._waiting]))
        self._waiting.clear()

    def stop(self) -> None:
        """Sends nothing more and closes every stream."""
        self.drain()
        for slot in self._slots:
            slot.abort()

    async def close(self) -> None:
        """Closes what `run` has left open."""
        await asyncio.gather(*(slot.close() for slot in self._slots))

    async def _work(self, slot: Slot) -> None:
        free_ns = 0
        while True:
            request = await self._next()
            stream = Stream(request.id, self._outbox)
            self._live[request.id] = slot, stream
            if self._stopping:  # between the worker's word and this slot's turn
                self._outbox.say(Dropped([request.id]))
            else:
                await slot.exchange(request.body, stream, max(free_ns, self._free_ns))
            del self._live[request.id]
            free_ns = stream.ended_ns or monotonic_ns()
            await self._outbox.room()

    async def _next(self) -> Request:
        if self._waiting and not self._held:
            return self._waiting.popleft()
        idle: asyncio.Future[Request] = asyncio.get_running_loop().create_future()
        self._idle.append(idle)
        return await idle
