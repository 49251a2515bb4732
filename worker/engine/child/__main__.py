"""`python -m worker.engine.child FD`: a measuring process that serves one worker over the inherited socket FD."""

import asyncio
import gc
import signal
import socket
import sys

from worker.engine.child.loop_lag import WakefulSelector
from worker.engine.child.outbox import Outbox
from worker.engine.child.run import ChildRun
from worker.engine.child.socket_reader import SocketReader
from worker.engine.messages import (
    Abort,
    Begin,
    Cease,
    Command,
    Cut,
    Drain,
    Finish,
    Frames,
    Go,
    Hold,
    Recall,
    Requests,
    Stop,
)


class MeasuringProcess(asyncio.Protocol):
    """Obeys the worker, one run after the other. Ends when the worker ends or falls silent during a run."""

    def __init__(self, wakeful: WakefulSelector) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = SocketReader(self._loop, wakeful)
        self._commands: Frames[Command] = Frames(Command)
        self._run: ChildRun | None = None
        self._silence: asyncio.Task[None] | None = None
        self._finishing: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream socket is needed")
        self._outbox = Outbox(transport, self._reader)

    def data_received(self, data: bytes) -> None:
        self._heard.set()
        for command in self._commands.feed(data):
            self._obey(command)

    def connection_lost(self, exc: Exception | None) -> None:
        """The worker is gone: ends this process, which closes its streams."""
        if not self.ended.done():
            self.ended.set_result(None)

    def _obey(self, command: Command) -> None:
        match command:
            case Begin():
                self._run = ChildRun(command, self._outbox, self._reader)
                self._run.start(self._task_ended)
                self._silence = self._loop.create_task(self._watch(command.silence_s))
            case Finish() if self._run is not None and self._silence is not None:
                self._silence.cancel()
                self._finishing = self._loop.create_task(self._run.finish())
                self._finishing.add_done_callback(self._finished)
                self._run = None
            case Requests(items) if self._run is not None:
                self._run.load.add(items)
            case Hold(connections) if self._run is not None:
                self._run.hold(connections, self._task_ended)
            case Go() if self._run is not None:
                self._run.load.go(command)
            case Recall(most) if self._run is not None:
                self._run.load.give_back(most)
            case Cease() if self._run is not None:
                self._run.load.cease()
            case Cut() if self._run is not None:
                self._run.load.cut()
            case Abort(request_id) if self._run is not None:
                self._run.load.abort(request_id)
            case Drain() if self._run is not None:
                self._run.load.drain()
            case Stop() if self._run is not None:
                self._run.load.stop()

    async def _watch(self, silence_s: float) -> None:
        """Ends the process after `silence_s` of silence: the worker's lease is over, and another may send the same."""
        try:
            while True:
                self._heard.clear()
                async with asyncio.timeout(silence_s):
                    await self._heard.wait()
        except TimeoutError:
            pass
        if not self.ended.done():
            self.ended.set_result(None)

    def _finished(self, task: asyncio.Task[None]) -> None:
        """Collects the garbage of the run. Now, as no request waits: later it would hold up the first one for 5 ms."""
        self._finishing = None
        gc.collect()

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        """Ends the process if a task broke. The worker notices at once and fails its run. stderr gets the traceback."""
        if not task.cancelled() and (exc := task.exception()) is not None and not self.ended.done():
            self.ended.set_exception(exc)


async def serve(fd: int, wakeful: WakefulSelector) -> None:
    """Serves until the worker closes the socket. Raises what ended a run's task."""
    loop = asyncio.get_running_loop()
    process = MeasuringProcess(wakeful)
    await loop.create_connection(lambda: process, sock=socket.socket(fileno=fd))
    await process.ended


def main() -> None:
    # The worker handles Ctrl-C and `docker stop`. It ends this process by closing the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wakeful = WakefulSelector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(wakeful)) as runner:
        runner.run(serve(int(sys.argv[1]), wakeful))


if __name__ == "__main__":
    main()
