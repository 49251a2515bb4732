"""Real processes for end-to-end tests: a simulator with a request log, API and workers on a given database."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass
class SimulatorProcess:
    """A simulator of its own process; `requests()` reads what it has logged, a line for each ended request."""

    url: str
    log: Path

    def requests(self) -> list[dict[str, Any]]:
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
            process.wait(10)
