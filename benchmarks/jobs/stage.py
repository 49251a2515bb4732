"""Where a job is played: a fresh HOME, an empty folder, one shell for its blocks, a free port in place of 8000."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.jobs.page import Block
from cli.waiting import pause
from shared.clock import monotonic_ns
from tests.support.programs.ports import free_port

_END = "__end_of_block__"
_READY = re.compile(r"is up at|Application startup complete|worker_started")
_PATIENCE_S = 60.0


class JobFailed(Exception):
    """A block ended with another exit code than 0, or a program that stays did not get ready."""


@dataclass
class Played:
    """A block and what a person saw."""

    block: Block
    output: str
    seconds: float


@dataclass
class Stage:
    """One job in play."""

    folder: Path
    port: int
    # Texts of the page that are played as others, such as the address of a database.
    changes: Mapping[str, str]
    environment: dict[str, str]
    played: list[Played] = field(default_factory=list)
    _programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def play(self, block: Block) -> None:
        """Raises JobFailed."""
        begun = monotonic_ns()
        text = block.text
        for ours, theirs in self.changes.items():
            text = text.replace(ours, theirs)
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}").replace("--port 8000", f"--port {self.port}")
        output = self._start(text) if block.stays else self._run(text)
        self.played.append(Played(block, self._shown(output), (monotonic_ns() - begun) / 1e9))

    def end(self) -> None:
        """Ends the programs that stay, the last first."""
        for program in reversed(self._programs):
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGTERM)
                program.wait(_PATIENCE_S)

    def _run(self, text: str) -> str:
        # The exports of a block hold for the next ones, as in one terminal.
        script = f"set -e -o pipefail\n{text}\nset +x\necho {_END}\nenv -0 > .exports\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise JobFailed(f"exit code {done.returncode} of:\n{text}\n\n{done.stdout}")
        exports = self.folder / ".exports"
        items = (item.partition("=") for item in exports.read_text(encoding="utf-8").split("\0") if item)
        self.environment = {name: value for name, _, value in items if name != "_"}
        exports.unlink()
        return done.stdout.removesuffix(f"{_END}\n")

    def _start(self, text: str) -> str:
        if text == "llmbench up":
            text += f" --port {self.port}"
        log = self.folder.parent / f"program-{len(self._programs)}.log"
        with log.open("wb") as stream:
            program = subprocess.Popen(
                ["bash", "-c", f"exec {text}"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._programs.append(program)
        begun = monotonic_ns()
        while not _READY.search(seen := log.read_text(encoding="utf-8", errors="replace")):
            if program.poll() is not None or monotonic_ns() - begun > _PATIENCE_S * 1e9:
                raise JobFailed(f"{text} does not get ready:\n{seen}")
            pause(0.1)
        # The rest is a description, or logs.
        return next((line for line in seen.splitlines() if "is up at" in line), "(runs)")

    def _shown(self, output: str) -> str:
        """The output with the names of the page, and none of this machine."""
        text = output.replace(f":{self.port}", ":8000").replace(str(self.folder), "/home/me/job")
        for ours, theirs in self.changes.items():
            text = text.replace(theirs, ours)
            # Programs mask passwords.
            if "@" in theirs:
                text = text.replace(theirs.rpartition("@")[2], ours.rpartition("@")[2])
        return text.replace(socket.gethostname(), "host").rstrip()


@contextmanager
def stage(changes: Mapping[str, str]) -> Iterator[Stage]:
    """Nothing of the caller's environment is in it but the PATH, with this `llmbench` first."""
    with tempfile.TemporaryDirectory(prefix="llmbench-job-") as temporary:
        home, folder, tmp = (Path(temporary) / name for name in ("home", "job", "tmp"))
        for path in (home, folder, tmp):
            path.mkdir()
        environment = {
            "HOME": str(home),
            "TMPDIR": str(tmp),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "LANG": "C.UTF-8",
            "COLUMNS": "120",
        }
        played = Stage(folder, free_port(), changes, environment)
        try:
            yield played
        finally:
            played.end()
