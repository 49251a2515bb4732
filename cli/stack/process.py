"""A child process of the stack, with its log. It never outlives the stack."""

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: nothing may be imported between fork and exec.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """A program with its output in a log file.

    It gets a session of its own, so that Ctrl-C reaches only the stack, which then ends its children in order.
    Start it from a thread that lives as long as the stack: Linux kills the child when that thread ends.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], env: Mapping[str, str] | None, cwd: Path, log: Path
    ) -> None:
        """`env` is None for a program that gets its environment by `go`: it starts with this process's own."""
        self.name = name
        self.log = log
        with log.open("ab") as output:
            # The log may have lines of earlier programs.
            self._log_begin = output.tell()
            self._process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative if a signal ended it."""
        return self._process.poll()

    def go(self, env: Mapping[str, str]) -> None:
        """Lets a program of `cli.stack.child` begin, in this environment."""
        assert self._process.stdin is not None  # noqa: S101 - it is a PIPE
        with suppress(BrokenPipeError):  # it is dead already, which the next check reports
            self._process.stdin.write(json.dumps(dict(env)).encode() + b"\n")
            self._process.stdin.flush()

    def output(self) -> str:
        """What this program has written so far."""
        with self.log.open("rb") as log:
            log.seek(self._log_begin)
            return log.read().decode(errors="replace")

    def tail(self, lines: int = 25) -> list[str]:
        """The last lines of its log."""
        with suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()[-lines:]
        return []

    def terminate(self) -> None:
        """Sends SIGTERM if it still runs."""
        if self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> bool:
        """Waits. True if it ended within `seconds`."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        return False

    def kill(self) -> None:
        """Kills it and all processes that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()


def _die_with(parent: int) -> Callable[[], None] | None:
    libc = _libc
    if libc is None:
        return None

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have died before the line above.
        if os.getppid() != parent:
            os._exit(1)

    return prepare
