"""Endpoints that keep the truth, on a core of their own: they log what they sent when.

`truthserver`, in C, speaks plain HTTP; the simulator speaks TLS too.
"""

import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import httpx2
import orjson

SOURCE = Path(__file__).parents[2] / "shared" / "truthserver"
POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Truth:
    """What the server knows of one request, in ms; `tpot_ms` is None below two tokens."""

    ttft_ms: float
    tpot_ms: float | None
    content_events: int
    received_ns: int
    first_ns: int
    last_ns: int
    # When its end was written, with what follows the last content.
    ended_ns: int


def build(folder: Path) -> Path:
    """Compiles it in a folder. Raises SystemExit where it, or a compiler, is not there."""
    if not (SOURCE / "truthserver.c").is_file():
        raise SystemExit(f"{SOURCE} is missing: the accuracy benchmark compares with what that endpoint logs")
    target = folder / "truthserver"
    shutil.copytree(SOURCE, target)
    made = subprocess.run(["make", "-C", str(target)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise SystemExit(f"cannot build truthserver (make and cc are needed):\n{made.stderr}")
    return target / "truthserver"


class Endpoint(Protocol):
    """`with` it: it answers; afterwards `requests` holds the truth by request number."""

    requests: dict[int, Truth]

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class TruthServer:
    """The endpoint in C."""

    def __init__(
        self, binary: Path, *, port: int, core: int | None, ttft_ms: float, gap_ms: float, tokens: int
    ) -> None:
        self._binary = binary
        self._core = core
        self._port = port
        self._options = ["--ttft", str(ttft_ms), "--itl", str(gap_ms), "--n", str(tokens)]
        self.requests: dict[int, Truth] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "TruthServer":
        self._folder = Path(tempfile.mkdtemp(prefix="truth-"))
        command = [str(self._binary), "--port", str(self._port), "--csv", str(self._folder / "requests.csv")]
        command += ["--summary", str(self._folder / "summary.json"), *self._options]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE)
        if self._core is not None:
            os.sched_setaffinity(self._process.pid, {self._core})
        # It says that it listens.
        if self._process.stderr is None or not self._process.stderr.readline():
            raise SystemExit("truthserver did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.communicate(timeout=60)
        path = self._folder / "requests.csv"
        if path.is_file():
            with path.open() as lines:
                self.requests = {
                    int(row["id"]): _truth(row) for row in csv.DictReader(lines) if int(row["last_content_ns"])
                }
        shutil.rmtree(self._folder, ignore_errors=True)


class SimulatorServer:
    """The simulator in a process, over TLS where it is given a certificate."""

    def __init__(
        self, *, port: int, core: int, ttft_ms: float, gap_ms: float, tokens: int, certificate: Path | None = None
    ) -> None:
        self._core = core
        self._options = ["--port", str(port), "--ttft-ms", str(ttft_ms), "--gap-ms", str(gap_ms)]
        self._options += ["--tokens", str(tokens)]
        self._options += ["--tls-certificate", str(certificate)] if certificate else []
        self.requests: dict[int, Truth] = {}

    def __enter__(self) -> "SimulatorServer":
        self._folder = Path(tempfile.mkdtemp(prefix="truth-"))
        self._log = self._folder / "requests.jsonl"
        command = [sys.executable, "-m", "simulator", "--request-log", str(self._log), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        os.sched_setaffinity(self._process.pid, {self._core})
        if self._process.stdout is None or not self._process.stdout.readline():
            raise SystemExit("the simulator did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=60)
        for line in map(orjson.loads, self._log.read_bytes().splitlines()):
            if line["last_content_ns"]:
                self.requests[line["number"]] = _of(
                    line["received_ns"],
                    line["first_content_ns"],
                    line["last_content_ns"],
                    line["last_content_ns"],
                    line["content_events"],
                )
        shutil.rmtree(self._folder, ignore_errors=True)


def _truth(row: dict[str, str]) -> Truth:
    received, first, last = int(row["recv_ns"]), int(row["first_content_ns"]), int(row["last_content_ns"])
    return _of(received, first, last, int(row["end_ns"]) or last, int(row["n"]))


def _of(received: int, first: int, last: int, ended: int, tokens: int) -> Truth:
    tpot_ms = (last - first) / 1e6 / (tokens - 1) if tokens > 1 else None
    return Truth((first - received) / 1e6, tpot_ms, tokens, received, first, last, ended)


def wait_for_end(client: httpx2.Client, url: str) -> dict[str, Any]:
    """The benchmark at this URL, once it has ended. Asking this rarely costs the product next to nothing."""
    while True:
        state: dict[str, Any] = client.get(url, params={"include": "none"}).json()
        if state["status"] not in ("pending", "running"):
            return state
        time.sleep(POLL_S)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
