"""Signals as a flag that every wait looks at, so that each command ends at a place of its own choosing."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any

from cli.exits import Interrupted

# SIGHUP: the terminal was closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """The first signal makes `pause` raise Interrupted; a second one raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, Any] = {}
        self._read, self._write = -1, -1

    def __enter__(self) -> "Stop":
        # A pipe and not threading.Event: a handler that runs while its own thread holds the event's lock hangs.
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        # What `nohup` or a shell's `&` ignores for us stays ignored.
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
        """Waits. Raises Interrupted as soon as a signal has come."""
        if not self.requested:
            select.select([self._read], [], [], seconds)
        if self.requested:
            raise Interrupted
