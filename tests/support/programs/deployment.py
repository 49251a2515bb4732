"""Real processes for end-to-end tests: a simulator with a request log, API and workers on a given database."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx2
import orjson

from tests.support.fork_server.client import ForkedProcess, fork_server, is_preloaded
from tests.support.waiting import PATIENCE_S, wait_until


class Program:
    """A process with its log. API and worker are forked from a process that has loaded their modules already.

    `fresh`: they start in an interpreter of their own. For tests of how they start, of other code than that of this
    process, of command lines, and of what may not depend on an interpreter's seed of `hash`. An environment with what
    an interpreter reads at its start, such as PYTHONPATH or LD_PRELOAD, has the same effect.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        env: Mapping[str, str],
        log: Path,
        *,
        cwd: Path | None = None,
        fresh: bool = False,
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = _started(command, env, output, cwd, fresh=fresh)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def ended(self, seconds: float = PATIENCE_S) -> int:
        return await asyncio.to_thread(self._process.wait, seconds)

    def kill(self) -> None:
        if self.running:
            # A stopped process takes SIGKILL too.
            self._process.kill()
        self._process.wait()


def _started(
    command: list[str], env: Mapping[str, str], log: IO[bytes], cwd: Path | None, *, fresh: bool
) -> ForkedProcess | subprocess.Popen[bytes]:
    server = fork_server() if is_preloaded(command) and not fresh else None
    if server is not None and server.can_give(env):
        return server.start(command, env, log, cwd)
    return subprocess.Popen(
        command, env=dict(env), cwd=cwd, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )


async def answers(client: httpx2.AsyncClient, path: str = "/health") -> bool:
    """Whether the API that may be starting answers with 200."""
    try:
        return (await client.get(path)).status_code == 200
    except httpx2.TransportError:
        return False


@dataclass
class SimulatorProcess:
    """A simulator of its own process. It logs a request when it has ended, perhaps just after its client knows."""

    url: str
    log: Path

    def requests(self, least: int = 0) -> list[dict[str, Any]]:
        """What it has logged, a line for each ended request, once there are so many."""
        wait_until(lambda: len(self._logged()) >= least)
        return self._logged()

    def _logged(self) -> list[dict[str, Any]]:
        lines = self.log.read_bytes().splitlines() if self.log.exists() else []
        return [orjson.loads(line) for line in lines]


@contextmanager
def simulator_process(folder: Path) -> Iterator[SimulatorProcess]:
    log = folder / "requests.jsonl"
    command = [sys.executable, "-m", "simulator", "--port", "0", "--request-log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            yield SimulatorProcess(line.strip().rpartition(" ")[2], log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
