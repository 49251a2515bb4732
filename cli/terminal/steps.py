"""Shows the current step on one line of the terminal, and removes the line afterwards."""

import sys
from contextlib import suppress
from types import TracebackType


class Steps:
    """Call it with the step's text. It prints nothing if stderr is no terminal.

    It uses no thread, because the stack forks while a step is shown.
    """

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._shown = self._stream.isatty()

    def __call__(self, text: str) -> None:
        self._write(f"\r\x1b[2K{text} …")

    def __enter__(self) -> "Steps":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(text)
            self._stream.flush()
