"""The test process's end of the fork server."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from itertools import count
from pathlib import Path
from threading import Lock
from typing import IO, Any

from tests.support.fork_server.server import Program

ROOT = Path(__file__).parents[3]
# The modules with a command line whose programs are preloaded.
MODULES = ("uvicorn", "arq")
# Begins of names that an interpreter, a C library or a preloaded module reads before a forked program could set them.
READ_AT_START = ("PYTHON", "LD_", "LANG", "LC_", "SSL_", "OPENSSL_", "MALLOC_", "OPENBLAS_", "OMP_", "PROMETHEUS_")
# These would start a thread or a measurement in the fork server, so it does not get them.
NEEDS_A_START = ("OTEL_", "COVERAGE_")
# No other variable reaches it: it knows no settings.
NEEDED = ("PATH", "HOME")
LARGEST_ANSWER_BYTES = 100


class ForkedProcess:
    """A program that the fork server has started. Use it as a `subprocess.Popen`, from any thread."""

    def __init__(self, server: "ForkServer", pid: int) -> None:
        self.pid = pid
        self._server = server
        # Readable once the process has ended. A zombie keeps its id until it is reaped, so no other process is meant.
        self._descriptor = os.pidfd_open(pid)
        weakref.finalize(self, os.close, self._descriptor)
        self._exit_code: int | None = None
        self._reaping = Lock()

    def poll(self) -> int | None:
        """Its exit code, negative if a signal ended it. None while it runs."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises TimeoutExpired after `timeout` seconds."""
        code = self._ended_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def kill(self) -> None:
        """Does nothing if the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _ended_within(self, seconds: float | None) -> int | None:
        if self._exit_code is None and self._is_over(seconds):
            with self._reaping:
                if self._exit_code is None:
                    self._exit_code = self._server.reap(self.pid)
        return self._exit_code

    def _is_over(self, seconds: float | None) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(None if seconds is None else seconds * 1e3))


class ForkServer:
    """A running fork server. It ends, and kills what it has started, when this process closes it or dies."""

    def __init__(self) -> None:
        self._fixed = _read_at_start(os.environ)
        # Keeps the boundaries of messages.
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asking = Lock()
        self._numbers = count()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fork_server.server", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                env={**self._fixed, **{name: os.environ[name] for name in NEEDED if name in os.environ}},
                # Programs must not take their stdout for a terminal.
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def can_give(self, environment: Mapping[str, str]) -> bool:
        """Whether a forked program with this environment would be as one of a new interpreter."""
        needs_a_start = any(name.startswith(NEEDS_A_START) for name in environment)
        return not needs_a_start and _read_at_start(environment) == self._fixed

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], log: IO[bytes], cwd: Path | None
    ) -> ForkedProcess:
        """Runs `python -m module arguments…`, with stdout and stderr to the open log. `cwd` None: this process's."""
        program = Program(command[2], list(command[3:]), dict(environment), str(cwd or Path.cwd()))
        return ForkedProcess(self, self._ask("start", asdict(program), log.fileno()))

    def reap(self, pid: int) -> int:
        """The exit code of a program that has ended. Nothing is left of it then."""
        return self._ask("reap", pid)

    def _ask(self, action: str, value: Any, *descriptors: int) -> int:
        """Raises EOFError if the server has died; its stderr, which is this process's, says why."""
        with self._asking:
            number = next(self._numbers)
            # Variables may be no valid UTF-8, which `orjson` refuses.
            socket.send_fds(self._control, [json.dumps([number, action, value]).encode()], descriptors)
            while answer := self._control.recv(LARGEST_ANSWER_BYTES):
                answered, result = json.loads(answer)
                # Others are for a caller that a signal has interrupted.
                if answered == number:
                    return int(result)
        raise EOFError("the fork server has died")

    def close(self) -> None:
        self._control.close()
        self._process.wait()


@cache
def fork_server() -> ForkServer | None:
    """One for this process, started when it is first asked for and ended with it. None where it cannot work.

    That is anywhere but on Linux, which has descriptors of processes. On macOS, system libraries do not survive a fork.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    server = ForkServer()
    atexit.register(server.close)
    return server


def is_preloaded(command: Sequence[str]) -> bool:
    """Whether the fork server has loaded what this command runs."""
    return list(command[:2]) == [sys.executable, "-m"] and command[2] in MODULES


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}
