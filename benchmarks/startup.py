"""How long the programs take to start.

    python -m benchmarks.startup [--rounds 5]

`llmbench up` until `GET /ready` is 200, on a new database and on an existing one; a worker until it has claimed a
benchmark that waits, and until it has sent that benchmark's first byte; the short commands until they end. CPU time is
that of the whole process tree, with its end; it depends less than the others on what else runs on the machine.
"""

import argparse
import http.client
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

import httpx2

from cli.stack import EmbeddedStack
from cli.stack.ports import free_port
from cli.waiting import Deadline, pause
from shared.clock import wall_now
from shared.settings import process_environment

LLMBENCH = (sys.executable, "-m", "cli.main")
WORKER = (sys.executable, "-P", "-m", "arq", "worker.main.WorkerSettings")
PROBE_S = 0.05
LONGEST_S = 90


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds until it was there, and seconds of CPU until it had ended."""

    seconds: float
    cpu_s: float


def measured(command: Sequence[str], until: Callable[[], object] | None, cwd: Path | None = None) -> Start:
    """Starts a program, waits until that is true (None: until it ends by itself), ends it."""
    before, clock = _cpu_s(), Deadline(LONGEST_S)
    program = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while program.poll() is None and (until is None or not until()):
        if clock.passed:
            program.kill()
            raise SystemExit(f"{' '.join(command)}: not ready within {LONGEST_S} s")
        pause(PROBE_S if until else PROBE_S / 50)
    seconds = clock.elapsed_s
    if (program.returncode is None) == (until is None) or program.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {program.returncode}")
    program.send_signal(signal.SIGTERM)
    program.wait()
    return Start(seconds, _cpu_s() - before)


def up(folder: Path) -> Start:
    """`llmbench up` until `/ready` is 200. The database is the folder's."""
    port = free_port()
    command = (*LLMBENCH, "up", "--port", str(port), "--data-dir", str(folder))
    return measured(command, lambda: _is_ready(port), cwd=folder)


def worker(stack: EmbeddedStack, client: httpx2.Client) -> tuple[float, float]:
    """Seconds from the start of a worker to its claim of a benchmark that waits, and to that one's first byte sent."""
    body = {"name": "startup", "model": "sim-ttft1-gap1-n2", "prompts": ["x"]}
    posted = client.post("/benchmarks", json=body)
    posted.raise_for_status()
    environment = process_environment(
        DATABASE_URL=stack.database_url, REDIS_URL=stack.redis_url, SIMULATOR_URL=stack.simulator_url
    )
    before, clock = wall_now(), Deadline(LONGEST_S)
    program = subprocess.Popen(WORKER, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while (document := client.get(posted.headers["location"]).json())["status"] in ("pending", "running"):
            if clock.passed:
                raise SystemExit(f"the worker did nothing within {LONGEST_S} s")
            pause(0.05)
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait()
    moments = (document["started_at"], document["results"][0]["sent_at"])
    claimed_s, sent_s = ((datetime.fromisoformat(moment) - before).total_seconds() for moment in moments)
    return claimed_s, sent_s


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _cpu_s() -> float:
    """Of all programs that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="starts of each kind")
    rounds = parser.parse_args().rounds
    fresh, existing, claims, sends, helps, lists = [], [], [], [], [], []
    up_cpu, claim_cpu = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            starts = [up(Path(folder)) for _ in range(2)]
        fresh.append(starts[0].seconds)
        existing.append(starts[1].seconds)
        up_cpu += [start.cpu_s for start in starts]
    with EmbeddedStack(isolated=True) as stack, httpx2.Client(base_url=stack.url, timeout=30) as client:
        (own,) = [child for child in stack.children if child.name == "worker"]
        own.terminate()
        own.wait(LONGEST_S)
        for _ in range(rounds):
            before = _cpu_s()
            claimed_s, sent_s = worker(stack, client)
            claims.append(claimed_s)
            sends.append(sent_s)
            claim_cpu.append(_cpu_s() - before)
            helps.append(measured((*LLMBENCH, "--help"), None).seconds)
            lists.append(measured((*LLMBENCH, "list", "--server", stack.url), None).seconds)
    print(f"{rounds} starts of each")
    for name, values in (
        ("llmbench up to /ready, new database", fresh),
        ("llmbench up to /ready, existing database", existing),
        ("  CPU time of it", up_cpu),
        ("worker to its first claim", claims),
        ("worker to its first byte sent", sends),
        ("  CPU time of it", claim_cpu),
        ("llmbench --help", helps),
        ("llmbench list", lists),
    ):
        print(f"  {name:42} median {median(values):6.2f} s   least {min(values):6.2f} s   most {max(values):6.2f} s")


if __name__ == "__main__":
    main()
