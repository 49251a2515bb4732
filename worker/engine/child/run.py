"""One run in this process: starts its slots and flushes, and reports how undisturbed it was."""

import asyncio
import gc
from collections.abc import Awaitable, Callable

from shared.clock import cpu_ns, monotonic_ns
from worker.engine.child.cpu_share import CpuSampler
from worker.engine.child.keep_alive import KeepAlive
from worker.engine.child.load import Load
from worker.engine.child.loop_lag import LagSampler
from worker.engine.child.outbox import Outbox
from worker.engine.child.slot import Slot
from worker.engine.child.socket_reader import SocketReader
from worker.engine.child.socket_slot import Addresses, SocketSlot
from worker.engine.messages import Begin, Health, Opened, SdkTarget


class ChildRun:
    """From `Begin` to `Finish`."""

    def __init__(self, begin: Begin, outbox: Outbox, reader: SocketReader) -> None:
        # The collection after the run need not walk what is alive now, such as the modules of an SDK.
        gc.freeze()
        slots, self._close_client = _slots(begin, reader)
        self.load = Load(slots, outbox)
        self._outbox = outbox
        self._lag = LagSampler(lambda: self.load.in_flight > 0)
        self._cpu = CpuSampler(monotonic_ns, cpu_ns)
        self._tasks: list[asyncio.Task[None]] = []
        self._opening: asyncio.Task[None] | None = None
        self._sampling = False

    def start(self, on_end: Callable[[asyncio.Task[None]], None]) -> None:
        """Begins, on hold. `on_end` is called with each task that ends."""
        # A collection would stop the loop for milliseconds, so there is none during a run.
        gc.disable()
        for work in (self.load.run(), self._outbox.run(lambda: self.load.in_flight)):
            task = asyncio.create_task(work)
            task.add_done_callback(on_end)
            self._tasks.append(task)

    def hold(self, connections: int, on_end: Callable[[asyncio.Task[None]], None]) -> None:
        """A phase is prepared: connects ahead of it, then says so. `on_end` is called when that task ends."""
        self.load.hold()
        if self._opening is not None:
            self._opening.cancel()
        self._opening = asyncio.create_task(self._open(connections))
        self._opening.add_done_callback(on_end)

    async def _open(self, connections: int) -> None:
        await self.load.open(connections)
        self._outbox.say(Opened())
        if not self._sampling:
            # Measured from here: a loop that is busy with the first handshakes disturbs no request.
            self._sampling = True
            loop = asyncio.get_running_loop()
            self._lag.start(loop)
            self._cpu.start(loop)

    async def finish(self) -> None:
        """Closes everything and sends the `Health` report. The caller then releases the run and collects garbage."""
        self._lag.stop()
        self._cpu.stop()
        health = Health(dict(self._lag.histogram), self._lag.max_ns, self._cpu.busiest)
        tasks = self._tasks if self._opening is None else [*self._tasks, self._opening]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.load.close()
        await self._close_client()
        gc.enable()
        self._outbox.say(health)


def _slots(begin: Begin, reader: SocketReader) -> tuple[list[Slot], Callable[[], Awaitable[None]]]:
    if isinstance(begin.target, SdkTarget):
        # Imported here, because it takes seconds and few runs need it.
        from worker.engine.child.sdk_slot import SdkClient, SdkSlot

        client = SdkClient(begin.target, begin.slots)
        return [SdkSlot(client) for _ in range(begin.slots)], client.close
    addresses, keep_alive = Addresses(begin.target), KeepAlive()
    return [SocketSlot(begin.target, addresses, reader, keep_alive) for _ in range(begin.slots)], _nothing


async def _nothing() -> None:
    """Does nothing: the slots close their own sockets."""
