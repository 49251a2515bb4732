"""The fork server's process: `python -m tests.support.fork_server.server DESCRIPTOR`, of a socket to the test process.

It takes one request after the other and answers each: `start` with the new process's id, `reap` with an exit code. A
process that has ended stays a zombie until it is reaped, as with `subprocess.Popen`, so that no other gets its id.
"""

import gc
import json
import os
import runpy
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shared.program.heap import loading
from tests.support.fork_server.preload import preload

LARGEST_REQUEST_BYTES = 1_000_000


@dataclass(frozen=True)
class Program:
    """`python -m module arguments…`. Its log is a descriptor, which comes with the request."""

    module: str
    arguments: list[str]
    environment: Mapping[str, str]
    cwd: str


def main() -> None:
    # Ctrl-C reaches all processes of a terminal. The test process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # No `.env` is read here.
    os.chdir("/")
    with loading():
        preload()
    gc.collect()
    # What is shared with all programs is not to be copied because their collectors visit it.
    gc.freeze()
    program = _serve(socket.socket(fileno=int(sys.argv[1])))
    if program is not None:
        _run(program)


def _serve(control: socket.socket) -> Program | None:
    """Returns None when the test process has closed its end or has died; and, in each new process, what it is to run.

    A program runs outside this loop, so that the interpreter ends as it does for any other program.
    """
    pids: set[int] = set()
    # Kept for a test process that was interrupted before it read the answer, and asks again.
    exit_codes: dict[int, int] = {}
    with control:
        while request := _next(control):
            (number, action, value), descriptors = request
            if action == "reap":
                if value in pids:
                    pids.remove(value)
                    exit_codes[value] = os.waitstatus_to_exitcode(os.waitpid(value, 0)[1])
                answer = exit_codes[value]
            else:
                (log,) = descriptors
                answer = _fork()
                if not answer:
                    _redirect(log)
                    return Program(**value)
                pids.add(answer)
                os.close(log)
            with suppress(BrokenPipeError):
                control.send(json.dumps([number, answer]).encode())
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return None


def _next(control: socket.socket) -> tuple[Any, list[int]] | None:
    """The next request with its descriptors. None if there will be no more."""
    try:
        message, descriptors, _, _ = socket.recv_fds(control, LARGEST_REQUEST_BYTES, 1)
    except ConnectionResetError:
        # The test process has died before it read an answer.
        return None
    return (json.loads(message), descriptors) if message else None


def _fork() -> int:
    """0 in the new process, where all signals are blocked still: handlers of this process must not see them."""
    threads = len(os.listdir("/proc/self/task"))
    assert threads == 1, f"{threads} threads: others would be missing in the new process, with the locks that they hold"
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return pid


def _redirect(log: int) -> None:
    """stdin is /dev/null already."""
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.close(log)


def _run(program: Program) -> None:
    """Everything that a new interpreter would set, then the program."""
    os.environ.clear()
    os.environ.update(program.environment)
    time.tzset()
    os.chdir(program.cwd)
    sys.path[0] = program.cwd
    sys.argv = [program.module, *program.arguments]
    _seed()
    # As Python sets it; this process handles no other signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    runpy.run_module(program.module, run_name="__main__", alter_sys=True)


def _seed() -> None:
    """NumPy's own generator would draw the same numbers in all programs. `random` is seeded at each fork."""
    import numpy as np

    np.random.seed()


if __name__ == "__main__":
    main()
