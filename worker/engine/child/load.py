"""Keeps the load: a free slot takes the next request, at once in a closed loop, when it is due in an open one."""

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
        # When the phase began: from then on slots are free and requests fall due.
        self._start_ns = 0
        self._alarm: asyncio.TimerHandle | None = None
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

    def go(self, start_ns: int) -> None:
        """A phase starts: slots take what waits and is due, in the same turn of the loop."""
        self._held = False
        self._start_ns = start_ns
        self._hand_out()

    def _hand_out(self) -> None:
        while self._idle and (request := self._take()) is not None:
            idle = self._idle.popleft()
            if idle.done():
                self._waiting.appendleft(request)
            else:
                idle.set_result(request)

    def _take(self) -> Request | None:
        """The next request, if it is due. If it is not, the loop is woken when it is."""
        if self._held or not self._waiting:
            return None
        wait_s = (self._start_ns + (self._waiting[0].offset_ns or 0) - monotonic_ns()) / 1e9
        if wait_s <= 0:
            return self._waiting.popleft()
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_later(wait_s, self._hand_out)
        return None

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
                scheduled = request.offset_ns is not None
                due_ns = self._start_ns + (request.offset_ns or 0)
                await slot.exchange(request.body, stream, due_ns if scheduled else max(free_ns, due_ns))
            del self._live[request.id]
            free_ns = stream.ended_ns or monotonic_ns()
            await self._outbox.room()

    async def _next(self) -> Request:
        if not self._idle and (request := self._take()) is not None:
            return request
        idle: asyncio.Future[Request] = asyncio.get_running_loop().create_future()
        self._idle.append(idle)
        return await idle
