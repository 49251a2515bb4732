"""A forked program is as one that a new interpreter runs; the fork server leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from tests.support.fork_server.client import NEEDS_A_START, ForkedProcess, ForkServer, fork_server, is_preloaded
from tests.support.programs.deployment import Program
from tests.support.waiting import PATIENCE_S, wait_until

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(sys.platform != "linux", reason="needs descriptors of processes"),
]

# What a program could notice of the process that it is forked from.
LOOK = """
import gc, json, os, signal, sys, threading, time
import __main__
descriptors = {}
for name in os.listdir("/proc/self/fd"):
    try:
        descriptors[name] = os.readlink(f"/proc/self/fd/{name}")
    except FileNotFoundError:
        pass  # of the listing itself
print(json.dumps({
    "argv": sys.argv, "path": sys.path[0], "cwd": os.getcwd(), "environment": dict(os.environ), "zone": time.tzname,
    "name": __name__, "main": __main__.__file__, "is main": sys.modules["__main__"] is __main__,
    "handlers": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "descriptors": descriptors,
    "group": os.getpgid(0), "umask": os.umask(0), "threads": threading.active_count(),
    "collects": gc.isenabled(), "thresholds": gc.get_threshold(),
    "streams": [[stream.line_buffering, stream.encoding, stream.errors] for stream in (sys.stdout, sys.stderr)],
}))
"""
WAIT = "import signal; print('up', flush=True); signal.pause()"
Start = Callable[..., ForkedProcess]


@pytest.fixture(scope="module")
def server() -> ForkServer:
    server = fork_server()
    assert server is not None
    return server


@pytest.fixture
def environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(NEEDS_A_START)}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IO[bytes]]:
    with (tmp_path / "log").open("ab") as log:
        yield log


@pytest.fixture
def run(server: ForkServer, environment: Mapping[str, str], log: IO[bytes], tmp_path: Path) -> Start:
    """Starts a program with this code, named `program`, in the test's folder."""

    def start(code: str, *arguments: str, **changes: str) -> ForkedProcess:
        command = command_for(tmp_path, code, *arguments)
        return server.start(command, {**environment, **changes}, log, tmp_path)

    return start


def command_for(folder: Path, code: str, *arguments: str) -> list[str]:
    (folder / "program.py").write_text(code)
    return [sys.executable, "-m", "program", *arguments]


def up(log: IO[bytes]) -> None:
    wait_until(lambda: Path(log.name).read_bytes() == b"up\n")


def test_it_finds_what_a_new_interpreter_finds(
    run: Start, environment: Mapping[str, str], log: IO[bytes], tmp_path: Path
) -> None:
    changes = {"TZ": "Asia/Tokyo", "LOG_LEVEL": "DEBUG", "ünïcode": "\udcff"}
    assert run(LOOK, "one", "--two", **changes).wait(PATIENCE_S) == 0
    subprocess.run(
        command_for(tmp_path, LOOK, "one", "--two"),
        env={**environment, **changes},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        check=True,
    )
    forked, fresh = map(json.loads, Path(log.name).read_bytes().splitlines())
    assert forked == fresh
    assert forked["descriptors"].keys() == {"0", "1", "2"}


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        ("print('done')", 0, "done\n"),
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('no such thing')", 1, "no such thing\n"),
        ("import atexit; atexit.register(print, 'cleared up')", 0, "cleared up\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("import os; os.abort()", -signal.SIGABRT, ""),
    ],
)
def test_its_end_is_told(run: Start, log: IO[bytes], code: str, exit_code: int, said: str) -> None:
    log.write(b"written before\n")
    log.flush()
    assert run(code).wait(PATIENCE_S) == exit_code
    text = Path(log.name).read_text()
    assert text.startswith("written before\n")
    assert text.endswith(said)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_signals_reach_it(run: Start, log: IO[bytes], number: signal.Signals) -> None:
    program = run(WAIT)
    up(log)
    os.kill(program.pid, number)
    assert program.wait(PATIENCE_S) == -number


def test_it_can_be_stopped(run: Start, log: IO[bytes]) -> None:
    program = run(WAIT)
    up(log)
    seen = psutil.Process(program.pid)
    os.kill(program.pid, signal.SIGSTOP)
    wait_until(lambda: seen.status() == psutil.STATUS_STOPPED)
    assert program.poll() is None
    os.kill(program.pid, signal.SIGCONT)
    wait_until(lambda: seen.status() == psutil.STATUS_SLEEPING)
    program.kill()
    assert program.wait(PATIENCE_S) == -signal.SIGKILL


def test_nobody_waits_longer_than_asked_for(run: Start) -> None:
    program = run(WAIT)
    assert program.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(0.01)
    program.kill()
    program.wait(PATIENCE_S)
    # It has ended already.
    program.kill()


def test_its_id_is_its_own_until_somebody_knows_its_end(run: Start, server: ForkServer) -> None:
    program = run("")
    seen = psutil.Process(program.pid)
    wait_until(lambda: seen.status() == psutil.STATUS_ZOMBIE)
    os.kill(program.pid, signal.SIGTERM)
    assert program.poll() == program.wait() == 0
    assert not psutil.pid_exists(program.pid)
    assert psutil.Process(server.pid).children() == []


def test_an_interrupted_question_is_asked_again(run: Start, server: ForkServer) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    program, other = (run("import sys; sys.exit(int(sys.argv[1]))", code) for code in "34")
    ends = [psutil.Process(item.pid) for item in (program, other)]
    wait_until(lambda: all(end.status() == psutil.STATUS_ZOMBIE for end in ends))
    before = signal.signal(signal.SIGUSR1, interrupt)
    # It answers only after the signal.
    os.kill(server.pid, signal.SIGSTOP)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        with pytest.raises(Interrupted):
            program.poll()
    finally:
        os.kill(server.pid, signal.SIGCONT)
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert (other.poll(), program.poll()) == (4, 3)


def test_no_two_draw_the_same_numbers(run: Start, log: IO[bytes]) -> None:
    code = "import random, uuid, numpy; print(random.random(), numpy.random.random(), uuid.uuid4())"
    for _ in range(2):
        assert run(code).wait(PATIENCE_S) == 0
    numbers = Path(log.name).read_text().split()
    assert len(set(numbers)) == 6


def test_nothing_is_left_for_programs_to_load(run: Start, log: IO[bytes]) -> None:
    code = """
import sys
before = set(sys.modules)
import api.main, worker.main, numpy, openai, anthropic, shared.workloads.of_spec
print(*sorted(set(sys.modules) - before))
"""
    assert run(code).wait(PATIENCE_S) == 0
    assert Path(log.name).read_text().split() == ["worker.main"]


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        ({"DATABASE_URL": "sqlite:///x.db", "TZ": "UTC"}, True),
        ({"PYTHONPATH": "/elsewhere"}, False),
        ({"LD_PRELOAD": "libfaketime.so.1"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, False),
        ({"COVERAGE_PROCESS_CONFIG": "{}"}, False),
    ],
)
def test_what_is_read_at_the_start_needs_a_new_interpreter(
    server: ForkServer, environment: Mapping[str, str], changes: dict[str, str], possible: bool
) -> None:
    assert server.can_give({**environment, **changes}) == possible


def test_it_has_loaded_api_and_worker() -> None:
    assert is_preloaded([sys.executable, "-m", "arq", "worker.main.WorkerSettings"])
    assert not is_preloaded([sys.executable, "-m", "simulator"])
    assert not is_preloaded(["valkey-server", "--port", "1"])


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_program_can_ask_for_a_new_interpreter(
    server: ForkServer, environment: Mapping[str, str], tmp_path: Path, fresh: bool
) -> None:
    command = [sys.executable, "-m", "arq", "--version"]
    program = Program("arq", command, environment, tmp_path / "log", fresh=fresh)
    try:
        assert psutil.Process(program.pid).ppid() == (os.getpid() if fresh else server.pid)
        assert await program.ended() == 0
    finally:
        program.kill()
    assert "arq, version" in program.log.read_text()


# A test process: tells the ids of its fork server and of its program, then waits for its stdin to be closed.
TEST_PROCESS = """
import os, sys
from pathlib import Path
from tests.support.fork_server.client import fork_server
server = fork_server()
with open(os.devnull, "ab") as log:
    program = server.start([sys.executable, "-m", "program"], os.environ, log, Path(sys.argv[1]))
print(server.pid, program.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("killed", [False, True])
def test_it_ends_with_the_test_process(environment: Mapping[str, str], tmp_path: Path, killed: bool) -> None:
    command_for(tmp_path, WAIT)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", TEST_PROCESS, str(tmp_path)], env=environment, **pipes) as process:
        assert process.stdout is not None
        seen = [psutil.Process(int(pid)) for pid in process.stdout.readline().split()]
        assert len(seen) == 2
        if killed:
            process.kill()
    assert process.returncode == (-signal.SIGKILL if killed else 0)
    _, alive = psutil.wait_procs(seen, PATIENCE_S)
    assert alive == []
