"""What an event costs: events/s, CPU by process and the delay of sends, of the whole product on one core.

    python -m benchmarks.cost [--streams 128,256] [--tokens 256] [--gap 2] [--waves 4] [--repeats 3] [--protocol openai]

API, worker, measuring process, Valkey and SQLite share one core. An endpoint in C runs on another core and logs when it
really read each request and wrote each token. Each row is the run of the repeats that used the least CPU, because other
programs may share the machine. A run before them, which is not shown, starts the measuring process.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import orjson
import psutil

from benchmarks.truth import Truth, TruthServer, build, free_port, wait_for_end
from cli.stack import EmbeddedStack

# What a process's command line holds, and what its column is called.
PROGRAMS = {"worker.engine.child": "child", "worker.main": "worker", "api.main": "API"}
COLUMNS = (
    *("protocol", "streams", "offered/s", "events/s", "CPU", *PROGRAMS.values(), "other", "drain s"),
    *("delay P50", "P99", "max", "seen P50", "P99", "max", "grade"),
)


# The longest wait for the stack to become idle.
SETTLE_S = 60


@dataclass(frozen=True, slots=True)
class Cost:
    """One benchmark. CPU in s by program."""

    events: int
    events_per_s: float
    # From the last event to the end of the benchmark in the API, in s.
    drain_s: float
    cpu_s: Counter[str]
    # How late requests were sent: as the product reports it, and as the endpoint saw it (after the first wave), in ms.
    reported: dict[str, float]
    seen_ms: Sequence[float]
    grade: str

    def per_thousand(self, program: str) -> float:
        return self.cpu_s[program] / self.events * 1_000


def cpu_s() -> Counter[str]:
    """CPU time so far by program of this process's children; `other` is the queue."""
    total: Counter[str] = Counter()
    for process in psutil.Process().children(recursive=True):
        try:
            words, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        if "truthserver" not in words:
            name = next((name for part, name in PROGRAMS.items() if part in words), "other")
            total[name] += times.user + times.system
    return total


def settle() -> None:
    """Waits until the stack has started: it goes on to load modules after it has answered for the first time."""
    idle, deadline = 0, time.monotonic() + SETTLE_S
    spent = cpu_s().total()
    while idle < 4 and time.monotonic() < deadline:
        time.sleep(0.25)
        before, spent = spent, cpu_s().total()
        idle = idle + 1 if spent - before < 0.02 else 0


def measure(
    client: httpx2.Client, server: TruthServer, protocol: str, options: argparse.Namespace, streams: int
) -> Cost:
    body = {
        "name": f"cost {protocol} {streams}",
        "provider": f"truth-{protocol}",
        "model": "truth",
        "prompts": ["What does an event cost?"],
        "repetitions": options.waves * streams,
        "concurrency": streams,
        "parameters": {"max_tokens": options.tokens},
    }
    with server:
        before = cpu_s()
        posted = client.post("/benchmarks", json=body)
        if posted.status_code != 202:
            raise SystemExit(f"the API refused: {posted.text}")
        url = posted.headers["location"]
        state = wait_for_end(client, url)
        spent = cpu_s()
        spent.subtract(before)
    truths = list(server.requests.values())
    if len(truths) != options.waves * streams or state["status"] != "completed":
        raise SystemExit(f"not all requests succeeded: {state['progress']}")
    events = sum(truth.content_events for truth in truths)
    begin_ns = min(truth.received_ns for truth in truths)
    end_ns = max(truth.last_ns for truth in truths)
    measurement = state["summary"]["measurement"]
    return Cost(
        events,
        events / (end_ns - begin_ns) * 1e9,
        drain_s(state, end_ns - begin_ns),
        spent,
        measurement["send_delay_ms"],
        seen_delays_ms(truths, streams),
        measurement["grade"],
    )


def seen_delays_ms(truths: Sequence[Truth], streams: int) -> list[float]:
    """How long after the end of a request the endpoint read the one that took its place: the n-th after the n-th."""
    ends = sorted(truth.ended_ns for truth in truths)
    reads = sorted(truth.received_ns for truth in truths)[streams:]
    return sorted(max(0, read - end) / 1e6 for end, read in zip(ends, reads, strict=False))


def drain_s(state: dict[str, Any], span_ns: int) -> float:
    """How much longer the benchmark took than its requests: the start before them, decoding and storing after them."""
    begin, end = (datetime.fromisoformat(state[name]) for name in ("started_at", "completed_at"))
    return (end - begin).total_seconds() - span_ns / 1e9


def row(client: httpx2.Client, server: Callable[[], TruthServer], protocol: str, options: argparse.Namespace) -> None:
    for streams in map(int, options.streams.split(",")):
        costs = [measure(client, server(), protocol, options, streams) for _ in range(options.repeats + 1)]
        best = min(costs[1:], key=lambda cost: cost.cpu_s.total())
        wave_s = (options.ttft + (options.tokens - 1) * options.gap) / 1_000
        show(
            protocol,
            f"{streams:,}",
            f"{streams * options.tokens / wave_s:,.0f}",
            f"{best.events_per_s:,.0f}",
            f"{best.cpu_s.total() / best.events * 1_000:.4f}",
            *(f"{best.per_thousand(name):.4f}" for name in (*PROGRAMS.values(), "other")),
            f"{best.drain_s:.2f}",
            *(f"{best.reported[name] or 0:.2f}" for name in ("p50", "p99", "max")),
            *(f"{value:.2f}" for value in (np.percentile(best.seen_ms, (50, 99, 100)) if best.seen_ms else (0, 0, 0))),
            best.grade,
        )


def show(*cells: str) -> None:
    print("  ".join(f"{cell:>{max(8, len(name))}}" for cell, name in zip(cells, COLUMNS, strict=True)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", default="128,256", help="loads, with commas between")
    parser.add_argument("--protocol", choices=("openai", "anthropic", "both"), default="both")
    parser.add_argument(
        "--repeats", type=int, default=3, help="benchmarks of each kind; the one with the least CPU is shown"
    )
    parser.add_argument("--ttft", type=float, default=200, help="ms")
    parser.add_argument("--gap", type=float, default=2, help="ms between tokens")
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--waves", type=int, default=4, help="requests of each stream")
    parser.add_argument("--logs", type=Path, default=None, help="keep the stack's logs here")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the product, one for the endpoint")
    os.sched_setaffinity(0, {cores[0]})
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    os.environ["PROVIDERS"] = orjson.dumps(
        [
            {"name": "truth-openai", "protocol": "openai", "base_url": f"{root}/v1"},
            {"name": "truth-anthropic", "protocol": "anthropic", "base_url": root},
        ]
    ).decode()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        setting = {"port": port, "core": cores[1], "ttft_ms": options.ttft, "gap_ms": options.gap}
        server = partial(TruthServer, build(folder), tokens=options.tokens, **setting)
        with (
            EmbeddedStack(data_dir=folder, log_dir=options.logs) as stack,
            httpx2.Client(base_url=stack.url, timeout=120) as client,
        ):
            print(
                f"{options.tokens} tokens {options.gap:g} ms apart after {options.ttft:g} ms, {options.waves} requests "
                f"of each stream; the run with the least CPU of {options.repeats}.\n"
                "CPU in s per 1,000 events: in all, and by program. drain: how much longer the benchmark took than "
                "its requests.\nDelay of sends in ms: as the product reports it, and as the endpoint saw it after the "
                "first wave."
            )
            settle()
            show(*COLUMNS)
            for protocol in ("openai", "anthropic") if options.protocol == "both" else (options.protocol,):
                row(client, server, protocol, options)


if __name__ == "__main__":
    main()
