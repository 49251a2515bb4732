"""How fast pages, comparisons and exports are over a large database.

    python -m benchmarks.web [--postgresql] [--benchmarks 10000] [--rows 1000000] [--calls 100]

Fills a database with benchmarks of ten results each, gives one of them 100,000 results, two 10,000 and one a million,
and starts the real API program on it. Prints the first page as Chromium sees it, the time of every page on the server,
a comparison that nothing has prepared, and an export with the memory of the API. Goals are printed beside the numbers;
the exit code is 1 if one is missed.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from api.pages.assets import assets
from benchmarks.web.first_page import first_page
from benchmarks.web.program import Api, api
from benchmarks.web.rows import PROMPT_SET, Filled, fill_all
from shared.clock import monotonic_ns
from shared.db.schema.migrate import upgrade
from shared.numbers.statistics import percentile
from tests.support.servers.postgresql import embedded_postgresql

LARGE, COMPARED = 100_000, 10_000
WARMUP = 5
PAGE_P99_MS, COMPARE_S, EXPORT_ROWS_PER_S, GROWTH_MB = 100.0, 2.0, 50_000, 30.0
FIRST_PAGE_MS, FIRST_PAGE_KB, ASSETS_KB = 1_000.0, 300.0, 80.0


@dataclass
class Report:
    """Prints each number with its goal, and remembers the goals that were missed."""

    missed: list[str] = field(default_factory=list)

    def say(self, what: str, value: float, unit: str, *, most: float | None = None, least: float | None = None) -> None:
        bad = (most is not None and value > most) or (least is not None and value < least)
        goal = f"  goal: at most {most:,g}" if most is not None else f"  goal: at least {least:,g}" if least else ""
        print(f"{what:<52}{value:>12,.1f} {unit:<8}{goal}{'  MISSED' if bad else ''}", flush=True)
        if bad:
            self.missed.append(what)


def pages(filled: Filled) -> dict[str, str]:
    """Every page, by name."""
    two = f"{filled.first},{filled.second}"
    series = f"model=model-0&provider=simulator&prompt_set={PROMPT_SET}"
    return {
        "list": "/ui/benchmarks",
        "list, searched": "/ui/benchmarks?name=nightly",
        "list, by metadata": "/ui/benchmarks?metadata=team:search",
        "benchmark of 10 results": f"/ui/benchmarks/{filled.small}",
        "benchmark of 10,000 results": f"/ui/benchmarks/{filled.first}",
        "benchmark of 100,000 results": f"/ui/benchmarks/{filled.large}",
        "new": "/ui/benchmarks/new",
        "compare two of 10,000 results": f"/ui/compare?ids={two}",
        "curve": f"/ui/benchmarks/{filled.small}/curve",
        "history": "/ui/history",
        "history of one series": f"/ui/history?{series}",
        "leaderboard": "/ui/leaderboard",
        "leaderboard of one prompt set": f"/ui/leaderboard?prompt_set={PROMPT_SET}",
        "webhooks": "/ui/webhooks",
        "workers": "/ui/workers",
    }


def measure(running: Api, filled: Filled, options: argparse.Namespace) -> Report:
    report = Report()
    compressed = sum(len(asset.gzipped) for asset in assets().values()) / 1e3
    report.say("all styles and scripts, gzipped", compressed, "kB", most=ASSETS_KB)
    with httpx2.Client(base_url=running.url, timeout=600, headers={"Accept": "text/html"}) as client:
        compare(report, running, client, filled)
        for name, path in pages(filled).items():
            serve(report, running, client, name, path, options.calls)
        first_page(report.say, running.url, most_ms=FIRST_PAGE_MS, most_kb=FIRST_PAGE_KB)
        export(report, running, client, filled.longest, options.rows)
    return report


def compare(report: Report, running: Api, client: httpx2.Client, filled: Filled) -> None:
    """Before anything has read these two."""
    before_s, begin_ns = running.processor_s, monotonic_ns()
    answer = client.get("/compare", params={"ids": f"{filled.first},{filled.second}"})
    took_s = (monotonic_ns() - begin_ns) / 1e9
    answer.raise_for_status()
    report.say("compare two of 10,000 results, cold", took_s, "s", most=COMPARE_S)
    print(f"    processor {running.processor_s - before_s:.2f} s, imports included")


def serve(report: Report, running: Api, client: httpx2.Client, name: str, path: str, calls: int) -> None:
    times, begin_ns = [], monotonic_ns()
    answer = client.get(path)
    first_ms = (monotonic_ns() - begin_ns) / 1e6
    if answer.status_code != 200:
        print(f"{name:<52}{path} answers {answer.status_code}")
        return
    for _ in range(WARMUP):
        client.get(path)
    before_s = running.processor_s
    for _ in range(calls):
        begin_ns = monotonic_ns()
        client.get(path).raise_for_status()
        times.append((monotonic_ns() - begin_ns) / 1e6)
    busy_ms = (running.processor_s - before_s) * 1e3 / calls
    report.say(f"{name}: P99", percentile(times, 99), "ms", most=PAGE_P99_MS)
    print(
        f"    P50 {percentile(times, 50):.1f} ms, processor {busy_ms:.1f} ms, the first {first_ms:.0f} ms, "
        f"{len(answer.content) / 1e3:.0f} kB"
    )


def export(report: Report, running: Api, client: httpx2.Client, number: int, rows: int) -> None:
    """As CSV, twice: the second time shows whether memory grows."""
    client.get(f"/benchmarks/{number}/export", params={"format": "csv", "limit": 1}).read()
    before_mb = most_mb = running.resident_mb
    before_s = running.processor_s
    begin_ns, read, lines = monotonic_ns(), 0, 0
    with client.stream("GET", f"/benchmarks/{number}/export", params={"format": "csv"}) as answer:
        answer.raise_for_status()
        for piece in answer.iter_raw():
            read += len(piece)
            lines += piece.count(b"\n")
            most_mb = max(most_mb, running.resident_mb)
    took_s = (monotonic_ns() - begin_ns) / 1e9
    report.say(f"export of {rows:,} rows as CSV", rows / took_s, "rows/s", least=EXPORT_ROWS_PER_S)
    print(
        f"    {lines:,} lines, {read / 1e6:.0f} MB in {took_s:.1f} s, processor {running.processor_s - before_s:.1f} s"
    )
    report.say("memory of the API during the export, growth", most_mb - before_mb, "MB", most=GROWTH_MB)
    print(f"    {before_mb:.0f} MB before, at most {most_mb:.0f} MB")


@contextmanager
def database(folder: Path, *, postgresql: bool) -> Iterator[str]:
    """The URL of an empty, migrated one."""
    if not postgresql:
        url = f"sqlite:///{folder / 'web.db'}"
        upgrade(url)
        yield url
        return
    with embedded_postgresql() as server:
        upgrade(server.url)
        yield server.url


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="PostgreSQL instead of SQLite")
    parser.add_argument("--benchmarks", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the export")
    parser.add_argument("--calls", type=int, default=100, help="of each page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llmbench-web-") as temporary:
        folder = Path(temporary)
        with database(folder, postgresql=options.postgresql) as url:
            begin_ns = monotonic_ns()
            filled = asyncio.run(
                fill_all(url, benchmarks=options.benchmarks, large=LARGE, compared=COMPARED, longest=options.rows)
            )
            kind = "PostgreSQL" if options.postgresql else "SQLite"
            print(f"{kind}: {options.benchmarks:,} benchmarks filled in {(monotonic_ns() - begin_ns) / 1e9:.0f} s")
            with api(url, folder) as running:
                report = measure(running, filled, options)
    print(f"missed: {', '.join(report.missed)}" if report.missed else "every goal is met")
    return bool(report.missed)


if __name__ == "__main__":
    sys.exit(main())
