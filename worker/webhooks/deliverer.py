"""Claims deliveries that are due and makes their attempts, many at a time."""

import asyncio
import contextlib

import structlog

from shared.db.webhooks.deliveries import DeliveryRepository, Due
from shared.errors import Unavailable
from shared.program.tasks import end
from worker.monitoring import WorkerMonitor
from worker.patience import until_available
from worker.webhooks.sender import Sender

log = structlog.get_logger(__name__)

# Attempts that one worker makes at the same time. They wait for receivers and use hardly any CPU.
AT_ONCE = 256
# When the worker stops, attempts under way get this long to end.
GRACE_S = 5.0


class Deliverer:
    """Runs beside the benchmarks. The database says what is due; a ring only says "look now"."""

    def __init__(
        self, repository: DeliveryRepository, sender: Sender, monitor: WorkerMonitor, *, look_every_s: float
    ) -> None:
        self._monitor = monitor
        self._repository = repository
        self._sender = sender
        self._look_every_s = look_every_s
        self._rung = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], Due] = {}

    def ring(self) -> None:
        """Makes `run` look for due deliveries now."""
        self._rung.set()

    async def run(self) -> None:
        """Delivers until cancelled. Attempts under way go on after that; `stop` ends them."""
        while True:
            self._rung.clear()
            while (room := AT_ONCE - len(self._under_way)) > 0:
                due = await self._repository.claim(room)
                if not due:
                    break
                for item in due:
                    self._begin(item)
            next_s = await self._repository.next_due_s()
            # A delivery that is due but was not claimed waits for an attempt at its URL to end. Each end rings.
            pause_s = self._look_every_s if not next_s else min(next_s, self._look_every_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._rung.wait()

    async def stop(self) -> None:
        """Waits for attempts under way, then cancels the rest and gives their deliveries back."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=GRACE_S)
        left = dict(self._under_way)
        await end(*left)
        for due in left.values():
            with contextlib.suppress(Unavailable):
                await self._repository.give_back(due)
        with contextlib.suppress(Unavailable):
            await self._repository.give_back_lost()

    def _begin(self, due: Due) -> None:
        task = asyncio.create_task(self._attempt(due))
        self._under_way[task] = due
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        due = self._under_way.pop(task)
        if not task.cancelled() and (exc := task.exception()) is not None:
            # The delivery's lease lapses, and it is tried again.
            log.error("webhook_attempt_broke", delivery_id=due.delivery_id, exc_info=exc)
        self.ring()

    async def _attempt(self, due: Due) -> None:
        attempt = await self._sender.attempt(due)
        # Without this, another worker would repeat an attempt that the receiver has answered.
        await until_available(lambda: self._repository.settle(due, attempt), "webhook_attempt_waits")
        self._monitor.webhook_attempted(attempt)
        log.info(
            "webhook_attempt",
            delivery_id=due.delivery_id,
            event_id=due.event_id,
            number=due.number,
            status_code=attempt.status_code,
            error=attempt.error,
            duration_ms=round(attempt.duration_ms, 1),
            next_s=attempt.wait_s,
        )
