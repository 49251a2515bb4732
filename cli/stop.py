"""Turns signals into a flag that every wait checks, so that a command ends only where it waits."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any

from cli.exits import Interrupted

# SIGHUP: the terminal was closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """The first signal makes `pause` raise Interrupted. A second signal raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, Any] = {}
        self._read, self._write = -1, -1

    def __enter__(self) -> "Stop":
        # A pipe, because threading.Event hangs if the handler runs while its own thread holds the event's lock.
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        # Signals that `nohup` or a shell's `&` ignores stay ignored.
        heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._handle) for number in heard}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        os.write(self._write, b"!")

    def pause(self, seconds: float) -> None:
        """Waits for so many `seconds`. Raises Interrupted as soon as there is a signal."""
        if not self.requested:
            select.select([self._read], [], [], seconds)
        if self.requested:
            raise Interrupted
