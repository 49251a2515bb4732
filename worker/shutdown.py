"""Ends a worker: the first SIGTERM or SIGINT lets requests in flight end, the second closes their streams at once."""

import asyncio
import signal
from typing import Any

from shared.program.tasks import end
from worker.dispatcher import Dispatcher


class Shutdown:
    """Handles the signals instead of arq.

    On a signal, arq cancels its jobs. If one was running, arq never calls its shutdown hook, and the worker would leave
    without giving its benchmarks back. So this class stops the dispatcher first, then arq's loop.
    """

    def __init__(self, dispatcher: Dispatcher, arq_main: "asyncio.Task[Any]") -> None:
        self._dispatcher = dispatcher
        self._arq_main = arq_main
        self._stopping: asyncio.Task[None] | None = None

    def take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    async def stopped(self) -> None:
        """Stops the dispatcher if no signal has done so, and waits until it has stopped."""
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
