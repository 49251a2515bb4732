"""Runs the hostile requests against an API process and measures each. Used by the command and by the suite."""

import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2

from benchmarks.abuse.cases import Case, cases
from benchmarks.abuse.fuzz import Fuzzed, fuzz
from benchmarks.abuse.watch import LoopWatch, Peak, loop_watch, resident_mb
from cli.database import migrate
from cli.stack.ports import free_port
from cli.stack.programs import UVICORN
from shared.settings import process_environment
from shared.webhooks.secret_box import new_key

# The container's limit in docker-compose.yml and deploy/kubernetes/api.yaml.
MEMORY_MB = 1_024
HELD_MS = 250
# What one request may take: five times MAX_BODY_BYTES.
REQUEST_MB = 5 * 16
TIMEOUT_S = 60
ALONE_MB = 1


class ApiEnded(Exception):
    """The API process ended while it was asked."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`status` 0: the connection was closed without an answer."""

    case: Case
    sent_mb: float
    status: int
    held_ms: float
    grown_mb: float

    @property
    def shown_status(self) -> str:
        return str(self.status or "closed")

    @property
    def is_right(self) -> bool:
        """Whether the answer is one of the case's. A closed connection stands for a 400."""
        return (self.status or 400) in self.case.answers

    def and_alone(self, again: "Measured") -> "Measured":
        """This, and what the same request did in a process of its own. A wrong answer of either counts."""
        status = again.status if self.is_right and not again.is_right else self.status
        return replace(self, status=status, held_ms=max(self.held_ms, again.held_ms), grown_mb=again.grown_mb)

    def broken(self) -> Iterator[str]:
        name = self.case.name
        if not self.is_right:
            yield f"{name}: answered {self.shown_status}, not {' or '.join(map(str, self.case.answers))}"
        if self.held_ms > HELD_MS:
            yield f"{name}: held the loop for {self.held_ms:,.0f} ms"
        if self.grown_mb > REQUEST_MB:
            yield f"{name}: took {self.grown_mb:,.0f} MB, more than {REQUEST_MB}"


@dataclass(slots=True)
class Report:
    """What was seen."""

    measured: list[Measured] = field(default_factory=list)
    fuzzed: Fuzzed = field(default_factory=Fuzzed)
    fuzz_held_ms: float = 0
    peak_mb: float = 0
    ended: bool = False

    def broken(self) -> list[str]:
        found = [line for item in self.measured for line in item.broken()]
        wrong = {status: count for status, count in self.fuzzed.total().items() if status >= 500 and status != 503}
        if wrong:
            found.append(f"made-up requests were answered with server errors: {wrong}")
        found += [f"{request} breaks the document: {how}" for request, how in self.fuzzed.violations.items()]
        if self.fuzz_held_ms > HELD_MS:
            found.append(f"a made-up request held the loop for {self.fuzz_held_ms:,.0f} ms")
        if self.peak_mb > MEMORY_MB:
            found.append(f"the process took {self.peak_mb:,.0f} MB, more than the container's {MEMORY_MB:,}")
        if self.ended:
            found.append("the API ended")
        return found

    def summary(self) -> list[str]:
        held = max((item.held_ms for item in self.measured), default=0)
        grown = max((item.grown_mb for item in self.measured), default=0)
        return [
            f"{len(self.measured)} hostile requests, {self.fuzzed.total().total():,} made-up ones.",
            *(f"As {name}: {_by_status(answers)}." for name, answers in self.fuzzed.answers.items()),
            f"Server errors: {self.fuzzed.total()[500]}.",
            f"Kinds of answers that break the document: {len(self.fuzzed.violations)}.",
            f"The loop was held for {max(held, self.fuzz_held_ms):,.0f} ms at most (bound: {HELD_MS} ms).",
            f"One request took {grown:,.0f} MB more at most (bound: {REQUEST_MB} MB, five times MAX_BODY_BYTES).",
            f"Resident memory was {self.peak_mb:,.0f} MB at most (bound: {MEMORY_MB:,} MB).",
        ]


def _by_status(answers: Counter[int]) -> str:
    return ", ".join(f"{count:,} x {status}" for status, count in sorted(answers.items()))


def abuse(folder: Path, url: str, *, minutes: float, quick: bool, progress: Callable[[str], None]) -> Report:
    """Everything, against an API with this database. If the API ends, the report says so and has what came before."""
    report = Report()
    migrate(url)
    try:
        _fill(report, folder, url, minutes=minutes, quick=quick, progress=progress)
    except ApiEnded as exc:
        progress(str(exc))
        report.ended = True
    return report


def _fill(
    report: Report, folder: Path, url: str, *, minutes: float, quick: bool, progress: Callable[[str], None]
) -> None:
    # First one process for all of them, as in life. What it keeps for later shows in its peak.
    with _watched_api(folder, url) as api:
        for case in cases():
            if quick and not case.quick:
                continue
            item = api.measure(case)
            report.measured.append(item)
            report.peak_mb = max(report.peak_mb, api.peak.mb())
            progress(f"{item.shown_status:>6} {item.held_ms:7.0f} ms {item.grown_mb:6.0f} MB  {case.name}")
        if not quick:
            # Before made-up requests delete what these have stored.
            _measure_alone(report, folder, url, progress)
        api.peak.reset()
        api.watch.worst_ms()
        if minutes:
            report.fuzzed = fuzz(api.client, minutes * 60)
        report.fuzz_held_ms = api.watch.worst_ms()
        report.peak_mb = max(report.peak_mb, api.peak.mb())


def _measure_alone(report: Report, folder: Path, url: str, progress: Callable[[str], None]) -> None:
    """Each large request again, in a new process: an old one answers from memory that it kept."""
    for number, item in enumerate(report.measured):
        if item.sent_mb > ALONE_MB:
            with _watched_api(folder, url) as api:
                again = api.measure(_with_another_key(item.case))
            report.measured[number] = item.and_alone(again)
            progress(f"{again.shown_status:>6} {again.held_ms:7.0f} ms {again.grown_mb:6.0f} MB  {item.case.name}")


def _with_another_key(case: Case) -> Case:
    """The same key would be answered with what is stored, and store nothing."""
    headers = {name: f"{value}-alone" if name == "Idempotency-Key" else value for name, value in case.headers.items()}
    return replace(case, headers=headers)


@dataclass(frozen=True, slots=True)
class Watched:
    """A running API and what watches it."""

    pid: int
    port: int
    client: httpx2.Client
    watch: LoopWatch
    peak: Peak

    def measure(self, case: Case) -> Measured:
        message = _message(case, self.port)
        self.peak.reset()
        before = resident_mb(self.pid)
        self.watch.worst_ms()
        status = _status(message, self.port)
        return Measured(case, len(message) / 1e6, status, self.watch.worst_ms(), max(0.0, self.peak.mb() - before))


@contextmanager
def _watched_api(folder: Path, url: str) -> Iterator[Watched]:
    port = free_port()
    with (
        _api(folder, url, port) as pid,
        loop_watch(pid, port) as watch,
        httpx2.Client(base_url=f"http://localhost:{port}", timeout=TIMEOUT_S) as client,
    ):
        # What a process loads with its first requests is not the fault of a hostile one.
        posted = client.post("/benchmarks", json={"name": "a", "model": "sim", "prompts": ["x"]})
        client.get("/models?q=haiku").raise_for_status()
        posted.raise_for_status()
        yield Watched(pid, port, client, watch, Peak(pid))


def _message(case: Case, port: int) -> bytes:
    headers = {"Host": f"localhost:{port}", "Connection": "close", **case.headers}
    if case.method != "GET":
        headers = {"Content-Length": str(len(case.body)), "Content-Type": "application/json", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{case.method} {case.path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + case.body


def _status(message: bytes, port: int) -> int:
    """The status that the message is answered with, by a connection that reads the answer to its end."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)) as connection:
        begin = b""
        # It may be refused before it was sent. The answer is there all the same.
        with suppress(OSError):
            connection.sendall(message)
        with suppress(OSError):
            while piece := connection.recv(65_536):
                begin = begin or piece
    return int(begin.split(b" ", 2)[1]) if begin.startswith(b"HTTP/") else 0


@contextmanager
def _api(folder: Path, url: str, port: int) -> Iterator[int]:
    """A process id. Nobody runs what is submitted; Redis is away, as it may be at any time."""
    environment = process_environment(
        DATABASE_URL=url,
        REDIS_URL="redis://127.0.0.1:9/0",
        SIMULATOR_URL="http://127.0.0.1:9",
        ENCRYPTION_KEY=new_key(),
        LOG_LEVEL="WARNING",
        MAX_WAIT_S="0.1",
        # Made-up requests come as fast as they are answered.
        RATE_LIMIT_PER_MINUTE="1000000",
        # As in Dockerfile.api.
        MALLOC_MMAP_THRESHOLD_="262144",
        MALLOC_ARENA_MAX="2",
    )
    command = [sys.executable, "-m", *UVICORN, "--host", "127.0.0.1", "--port", str(port)]
    with (
        (folder / "api.log").open("ab") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as api,
    ):
        try:
            _wait_for(port, api)
            yield api.pid
            _check_runs(api)
        except Exception as exc:
            # Its connections end a moment before the process does.
            with suppress(subprocess.TimeoutExpired):
                api.wait(1)
            _check_runs(api, exc)
            raise
        finally:
            api.send_signal(signal.SIGTERM)
            api.wait(TIMEOUT_S)


def _wait_for(port: int, api: "subprocess.Popen[bytes]") -> None:
    transport = httpx2.HTTPTransport(retries=10)
    with httpx2.Client(transport=transport, base_url=f"http://localhost:{port}", timeout=TIMEOUT_S) as client:
        while api.poll() is None:
            try:
                client.get("/health").raise_for_status()
                return
            except httpx2.TransportError:
                continue
    _check_runs(api)


def _check_runs(api: "subprocess.Popen[bytes]", cause: Exception | None = None) -> None:
    if api.poll() is not None:
        raise ApiEnded(f"the API ended with {api.returncode}") from cause
