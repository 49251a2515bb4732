"""The worker's end of its measuring processes: starts them ahead of need, lends them to runs, takes them back."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping

import structlog

from worker.engine.messages import Command, Frames, Report, frame

log = structlog.get_logger(__name__)

# With more slots than this in one process, its loop becomes late; more processes help if the machine has free cores.
SLOTS_A_PROCESS = 256
_SOCKET_BUFFER_BYTES = 4_000_000
# The most processes that are kept for later runs. One is enough; more save later runs the start.
MOST_IDLE = 4


def processes_for(concurrency: int, setting: int) -> int:
    """How many processes share a load: the setting, else what the load needs, with one core left for the rest."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = setting or min(-(-concurrency // SLOTS_A_PROCESS), max(1, cores - 1))
    return min(wanted, concurrency)


class Child(asyncio.Protocol):
    """One measuring process. The run that borrows it sets `on_report` and `on_death`."""

    def __init__(self) -> None:
        self.on_report: Callable[[Report], None] | None = None
        self.on_death: Callable[[], None] | None = None
        self.dead = False
        self._frames: Frames[Report] = Frames(Report)
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def start(cls, environment: Mapping[str, str] | None = None) -> "Child":
        """Starts a process that waits for a run. `environment` replaces this process's own. Raises OSError."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
        child = cls()
        with theirs:
            # -P: a folder named `worker` in the current directory is not imported.
            child._process = subprocess.Popen(  # noqa: ASYNC220, S603 - a fork of a millisecond, arguments are ours
                [sys.executable, "-P", "-m", "worker.engine.child", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        await asyncio.get_running_loop().create_connection(lambda: child, sock=ours)
        return child

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def send(self, command: Command) -> None:
        if self._transport is not None and not self.dead:
            self._transport.write(frame(command))

    @property
    def reading(self) -> bool:
        """Whether its reports are being read."""
        return self._transport is not None and self._transport.is_reading()

    def pause(self) -> None:
        """Stops reading its reports until `resume`."""
        if self._transport is not None and not self.dead:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self.dead:
            self._transport.resume_reading()

    def end(self) -> None:
        """Kills the process, which closes its streams."""
        self.on_report = self.on_death = None
        self.dead = True
        if self._transport is not None:
            self._transport.abort()
        if self._process is not None:
            self._process.kill()
            # It was just killed, so this returns at once.
            self._process.wait()
            self._process = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        for report in self._frames.feed(data):
            if self.on_report is not None:
                self.on_report(report)

    def connection_lost(self, exc: Exception | None) -> None:
        self.dead = True
        if self.on_death is not None:
            self.on_death()


class Children:
    """The measuring processes of one worker. One is kept ready, because starting it takes a moment."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment
        self._idle: list[Child] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._closed = False

    async def prepare(self) -> None:
        """Makes sure that one process is ready. Raises OSError if it cannot be started."""
        if not self._idle and not self._closed:
            self._idle.append(await Child.start(self._environment))

    @contextlib.asynccontextmanager
    async def lend(self, count: int) -> AsyncIterator[list[Child]]:
        """Lends `count` processes to one run. Those that are alive after it are used again."""
        children: list[Child] = []
        try:
            while len(children) < count:
                child = self._idle.pop() if self._idle else await Child.start(self._environment)
                if child.dead:
                    child.end()
                else:
                    children.append(child)
            self._prepare_soon()
            yield children
        except BaseException:
            for child in children:
                child.end()
            raise
        for child in children:
            child.on_report = child.on_death = None
            if child.dead or self._closed or len(self._idle) >= MOST_IDLE:
                child.end()
            else:
                self._idle.append(child)

    async def close(self) -> None:
        """Ends all idle processes. Lent ones end with their run."""
        self._closed = True
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        for child in self._idle:
            child.end()
        self._idle.clear()

    def _prepare_soon(self) -> None:
        task = asyncio.create_task(self.prepare())
        self._starting.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._starting.discard(task)
            if not task.cancelled() and (exc := task.exception()) is not None:
                log.warning("engine_not_started", error=str(exc))

        task.add_done_callback(ended)
