"""Turns of the processes that write to one SQLite file, so that each of them gets in soon.

SQLite has one writer at a time. A process that finds another one writing looks again after pauses of up to 0.1 s, and
meanwhile the other may have written again, and again. Measured with three busy processes, a write waited for more than
a second, where each took some milliseconds: long enough for a heartbeat to come too late.

Two locks on files beside the database keep an order. Whoever wants to write first takes the head of the queue, waits
there for the turn, and leaves the head when it has the turn. So a process that has just written finds the head taken
and lets the others in first. The kernel wakes who waits, and frees the locks of a process that dies.

The last process removes both files, as SQLite does with its own. Turns make waiting fair, and nothing else depends on
them: SQLite's own lock still admits one writer.
"""

import asyncio
import contextlib
import os
import sys
import threading
from pathlib import Path
from types import TracebackType

# `fcntl` is not there on Windows.
if sys.platform != "win32":
    import fcntl

# A process that has the turn may be stopped. After this time the others write without one, and SQLite's lock decides.
PATIENCE_S = 2.0
_OPEN = os.O_RDONLY | os.O_CREAT
_QUEUE, _TURN = "-queue", "-turn"


class Turns:
    """`async with turns:` waits for the callers in this process that came before, then for the other processes."""

    def __init__(self, database: str | None, *, patience_s: float = PATIENCE_S) -> None:
        """`database`: the path of the file. With None, only the callers in this process have turns."""
        self._database = database
        self._patience_s = patience_s
        self._ours = asyncio.Lock()
        self._locks: _Locks | None = None
        self._has_turn = False
        # The wait for the other processes. It goes on if its caller is cancelled, and serves the next one.
        self._waiting: asyncio.Future[None] | None = None
        self._out_of_patience = False

    async def __aenter__(self) -> None:
        await self._ours.acquire()
        try:
            self._has_turn = await self._take()
        except BaseException:
            self._give_back_unused()
            self._ours.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._has_turn and self._locks is not None:
            self._locks.leave()
        self._has_turn = False
        self._give_back_unused()
        self._ours.release()

    def close(self) -> None:
        """Closes the files, and removes them if nobody uses them now. The next turn opens them again."""
        locks, waiting = self._locks, self._waiting
        self._locks = self._waiting = None
        self._out_of_patience = False
        # A thread that still waits uses them. They are removed when it arrives.
        if locks is not None and (waiting is None or waiting.done()):
            locks.remove()

    async def _take(self) -> bool:
        """Waits for the turn of this process. False if the caller goes on without one."""
        if self._locks is not None and self._waiting is None and self._locks.removed:
            self._locks.close()
            self._locks = None
        if self._locks is None:
            self._locks = _Locks.beside(self._database)
        if self._locks is None or self._out_of_patience:
            return False
        if self._waiting is None:
            if self._locks.take_now():
                return True
            self._waiting = self._wait(self._locks)
        waiting = self._waiting
        await asyncio.wait([waiting], timeout=self._patience_s)
        if not waiting.done():
            self._out_of_patience = True
            return False
        self._waiting = None
        return True

    def _wait(self, locks: "_Locks") -> "asyncio.Future[None]":
        """Waits in a thread, which the kernel wakes. A daemon: it must not hold up the end of the program."""
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[None] = loop.create_future()

        def wait() -> None:
            locks.take()
            try:
                loop.call_soon_threadsafe(self._arrive, arrived, locks)
            except RuntimeError:  # the loop is closed
                locks.remove()

        threading.Thread(target=wait, name="turn", daemon=True).start()
        return arrived

    def _arrive(self, arrived: "asyncio.Future[None]", locks: "_Locks") -> None:
        arrived.set_result(None)
        if self._locks is not locks:
            locks.remove()
        elif not self._ours.locked():
            self._give_back_unused()

    def _give_back_unused(self) -> None:
        """If the turn has come when nobody waited for it any more."""
        if self._waiting is not None and self._waiting.done() and self._locks is not None:
            self._waiting = None
            self._out_of_patience = False
            self._locks.leave()


class _Locks:
    """The two locks of one process. Both are free once their files are closed, also by the death of the process."""

    def __init__(self, path: Path, queue: int, turn: int) -> None:
        self._path = path
        self._queue, self._turn = queue, turn

    @classmethod
    def beside(cls, database: str | None) -> "_Locks | None":
        """None without a file, where no other file can be beside it, and on systems without these locks."""
        if database is None or sys.platform == "win32":
            return None
        with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
            # Two programs may name the file by different links. Other users get the rights that they have on it.
            path = Path(database).resolve(strict=True)
            rights = path.stat().st_mode & 0o666
            queue = os.open(f"{path}{_QUEUE}", _OPEN, rights)
            opened.callback(os.close, queue)
            turn = os.open(f"{path}{_TURN}", _OPEN, rights)
            opened.callback(os.close, turn)
            # Not every file system has these locks.
            if _lock_now(queue):
                _unlock(queue)
            opened.pop_all()
            return cls(path, queue, turn)
        return None

    def take_now(self) -> bool:
        """Takes the turn if nobody has it and nobody waits for it."""
        if not _lock_now(self._queue):
            return False
        try:
            return _lock_now(self._turn)
        finally:
            _unlock(self._queue)

    def take(self) -> None:
        """Blocks until it is this process's turn."""
        _lock(self._queue)
        _lock(self._turn)
        _unlock(self._queue)

    def leave(self) -> None:
        _unlock(self._turn)

    @property
    def removed(self) -> bool:
        """Whether another process that took itself for the last one has removed the files."""
        return os.fstat(self._queue).st_nlink == 0

    def remove(self) -> None:
        """Removes the files if nobody has the turn or waits for it, and closes them."""
        if _lock_now(self._queue) and _lock_now(self._turn) and not self.removed:
            with contextlib.suppress(OSError):
                Path(f"{self._path}{_TURN}").unlink()
                Path(f"{self._path}{_QUEUE}").unlink()
        self.close()

    def close(self) -> None:
        os.close(self._queue)
        os.close(self._turn)


def _lock_now(descriptor: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _lock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def _unlock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)
