"""How a worker ends: the first SIGTERM or SIGINT lets it end in order, the second one at once."""

import asyncio
import signal
from typing import Any

from shared.program.tasks import end
from worker.dispatcher import Dispatcher


class Shutdown:
    """Takes the signals over from arq.

    arq cancels the jobs that it runs, and where one was just running it never calls its shutdown hook: the worker
    would leave without giving its benchmarks back. So the dispatcher is stopped first, then arq's loop.
    """

    def __init__(self, dispatcher: Dispatcher, arq_main: "asyncio.Task[Any]") -> None:
        self._dispatcher = dispatcher
        self._arq_main = arq_main
        self._stopping: asyncio.Task[None] | None = None

    def take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    async def stopped(self) -> None:
        """Stops the dispatcher, if no signal has done so yet."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._dispatcher.stop())
        await self._stopping

    def _on_signal(self) -> None:
        if self._stopping is not None:
            return self._dispatcher.stop_now()
        self._stopping = asyncio.create_task(self._stop())
        return None

    async def _stop(self) -> None:
        try:
            await self._dispatcher.stop()
        finally:
            await end(self._arq_main)
