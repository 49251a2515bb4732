"""How fast exports are, and what memory the API takes for them.

    python -m benchmarks.exports [--results 1000000] [--formats csv,jsonl,parquet,json]

A benchmark with so many results is inserted by SQL into a new SQLite database. A real API process exports it over HTTP;
its resident memory is read before and during each export.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx2
import psutil

from shared.db.connection.database import Database
from shared.db.schema.migrate import upgrade
from tests.support.databases.long_run import add_long_run
from tests.support.programs.ports import free_port

# What the CSV must reach, and what no export may take beside the memory of the idle process.
ROWS_PER_S, MORE_MB = 50_000, 100


class Memory:
    """The most resident memory of a process while the block runs."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.most = 0

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            self.most = max(self.most, self._process.memory_info().rss)


async def filled(url: str, results: int) -> None:
    database = Database(url)
    await add_long_run(database, results)
    await database.close()


def export(client: httpx2.Client, process: psutil.Process, format_name: str, results: int) -> tuple[float, float]:
    """(rows per second, megabytes beside those of the idle process)."""
    idle, size = process.memory_info().rss, 0
    cpu = process.cpu_times()
    with Memory(process) as memory:
        begin = time.perf_counter()
        with client.stream("GET", "/benchmarks/1/export", params={"format": format_name}) as response:
            response.raise_for_status()
            for piece in response.iter_bytes():
                size += len(piece)
        seconds = time.perf_counter() - begin
    used = process.cpu_times()
    cpu_s = used.user + used.system - cpu.user - cpu.system
    rate, more = results / seconds, (memory.most - idle) / 1e6
    print(
        f"{format_name:8} {size / 1e6:8,.1f} MB in {seconds:6.1f} s: {rate:9,.0f} rows/s "
        f"({results / cpu_s:9,.0f} per second of CPU), {more:5.0f} MB more memory",
        flush=True,
    )
    return rate, more


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=int, default=1_000_000)
    parser.add_argument("--formats", default="csv,jsonl,parquet,json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'exports.db'}"
        upgrade(url)
        asyncio.run(filled(url, arguments.results))
        port = free_port()
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "--factory",
            "api.main:create_app",
            "--http",
            "h11",
            "--no-access-log",
        ]
        api = subprocess.Popen(
            [*command, "--no-access-log", "--port", str(port), "--log-level", "critical"],
            env={"PATH": "/usr/bin:/bin", "DATABASE_URL": url, "LOG_LEVEL": "ERROR"},
        )
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=600, trust_env=False) as client:
                while True:
                    try:
                        client.get("/models").raise_for_status()
                        break
                    except httpx2.TransportError:
                        time.sleep(0.1)
                measured = {
                    name: export(client, psutil.Process(api.pid), name, arguments.results)
                    for name in arguments.formats.split(",")
                }
        finally:
            api.terminate()
            api.wait()
    slow = "csv" in measured and measured["csv"][0] < ROWS_PER_S
    large = [name for name, (_, more) in measured.items() if more > MORE_MB]
    if slow:
        print(f"CSV is slower than {ROWS_PER_S:,} rows/s")
    if large:
        print(f"more than {MORE_MB} MB: {', '.join(large)}")
    return 1 if slow or large else 0


if __name__ == "__main__":
    sys.exit(main())
