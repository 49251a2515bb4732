"""Watches a process from outside: how long its event loop does not answer, and how much memory it takes. Linux only."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from shared.clock import monotonic_ns

PROBE = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
# Between two probes. Each takes the API about half a millisecond.
PAUSE_S = 0.005
_PROBE_WAITS = Path("/proc/self/schedstat")


def resident_mb(pid: int) -> float:
    return _status_mb(pid, "VmRSS")


class Peak:
    """The most memory that a process took since `reset`, by the kernel's own mark."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def reset(self) -> None:
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")

    def mb(self) -> float:
        return _status_mb(self._pid, "VmHWM")


class LoopWatch:
    """Asks `/health` all the time, from a process of its own. `worst_ms` is the longest wait since the last call.

    Time in which the kernel let other programs run instead of these two does not count.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def worst_ms(self) -> float:
        self._connection.send(None)
        worst: float = self._connection.recv()
        return worst


@contextmanager
def loop_watch(pid: int, port: int) -> Iterator[LoopWatch]:
    """Until the end of the `with`."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_probe, args=(theirs, pid, port), daemon=True)
    process.start()
    # Ours to close, so that a probe that ended is an error and not a wait for ever.
    theirs.close()
    try:
        watch = LoopWatch(ours)
        watch.worst_ms()
        yield watch
    finally:
        process.terminate()
        process.join()


def _probe(orders: Connection, pid: int, port: int) -> None:
    worst = 0.0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            before, began_ns = _queued_s(pid), monotonic_ns()
            connection.sendall(PROBE)
            if not connection.recv(65_536):
                return
            took_s = (monotonic_ns() - began_ns) / 1e9
            after = _queued_s(pid)
            worst = max(worst, took_s - waited_s(before, after, pid))
            if orders.poll(PAUSE_S):
                orders.recv()
                orders.send(worst * 1e3)
                worst = 0.0


def waited_s(before: Mapping[Path, float], after: Mapping[Path, float], pid: int) -> float:
    """How long an answer waited for a processor.

    The probe, the loop, and a thread that has the interpreter's lock run one after the other, so their waits add up.
    """
    waits = {file: seconds - before.get(file, 0.0) for file, seconds in after.items()}
    probe, loop = waits.pop(_PROBE_WAITS, 0.0), waits.pop(_thread(pid, pid), 0.0)
    return probe + loop + max(waits.values(), default=0.0)


def _thread(pid: int, thread: int) -> Path:
    return Path(f"/proc/{pid}/task/{thread}/schedstat")


def _queued_s(pid: int) -> dict[Path, float]:
    """Seconds that each thread of the API, and this process, were ready to run and had no processor."""
    threads = [_thread(pid, int(folder.name)) for folder in Path(f"/proc/{pid}/task").glob("*")]
    found = {}
    for file in (*threads, _PROBE_WAITS):
        try:
            found[file] = int(file.read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            continue
    return found


def _status_mb(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1e3
    raise ValueError(f"no {name} in /proc/{pid}/status")
