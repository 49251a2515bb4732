"""`llmbench` as a real process, and what it leaves behind."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from cli.options.common import SERVER_ENV
from cli.stack import environment
from tests.support.waiting import PATIENCE_S, wait_until


@dataclass
class Program:
    """A running `llmbench`, in a folder of its own, with temporary files in another."""

    process: subprocess.Popen[str]
    folder: Path
    temporary: Path
    output: Path

    @property
    def children(self) -> list[psutil.Process]:
        """Everything below it now."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def wait_for_children(self, count: int) -> list[psutil.Process]:
        wait_until(lambda: len(self.children) >= count)
        return self.children

    def wait_for_url(self) -> str:
        """The URL that `up` prints when it is ready."""
        pattern = re.compile(r"is up at (http://\S+)")
        wait_until(lambda: pattern.search(self.text) or self.process.poll() is not None)
        found = pattern.search(self.text)
        assert found, self.text
        return found[1]

    def child(self, word: str) -> psutil.Process:
        """The child with a word in its command line."""
        return next(child for child in self.children if word in " ".join(child.cmdline()))

    @property
    def text(self) -> str:
        """All it wrote so far."""
        return self.output.read_text()

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(PATIENCE_S)

    def end(self, number: signal.Signals) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return self.ended()


@contextmanager
def llmbench(folder: Path, *arguments: str, **env: str) -> Iterator[Program]:
    """`llmbench arguments…` with nothing set from outside; killed at the end if need be."""
    work, temporary, output = folder / "work", folder / "tmp", folder / "output"
    work.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    with output.open("w") as stream:
        process = _start(stream, arguments, work, _environment(TMPDIR=str(temporary), **env))
    try:
        yield Program(process, work, temporary, output)
    finally:
        process.kill()
        process.wait()


def _start(stream: IO[str], arguments: tuple[str, ...], cwd: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stream,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=env,
        text=True,
    )


def _environment(**changes: str) -> dict[str, str]:
    clean = environment.parts(isolated=True).environment
    clean.pop(SERVER_ENV, None)
    return {**clean, "PYTHONUNBUFFERED": "1", "COLUMNS": "100", **changes}


def gone(processes: list[psutil.Process]) -> bool:
    """None of them runs any more."""
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in _seen(processes))


def _seen(processes: list[psutil.Process]) -> Iterator[psutil.Process]:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.status()
            yield process
