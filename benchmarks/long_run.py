"""A long run of short requests: does memory stay flat, does anything block the worker's loop, are the numbers right?

    python -m benchmarks.long_run [--requests 200000] [--streams 64] [--database postgresql]

A worker (in this process, on one core, with its measuring process) against the endpoint in C on another. Prints
resident memory at each tenth of the run, the steps of the worker's loop that took most CPU time and what they did, and
the summary's percentiles beside numpy's on the stored rows.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psutil
from sqlalchemy import select

from benchmarks.loop_watch import LoopWatch
from benchmarks.truth import TruthServer, build, free_port
from shared.access.caller import LOCAL
from shared.benchmark.spec import BenchmarkSpec
from shared.clock import SystemClock
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.money.payments import Payments
from shared.db.runs.benchmarks import RunBenchmarks
from shared.db.runs.datasets import RunDatasets
from shared.db.runs.earlier_segments import RunSegments
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.observations import RunObservations
from shared.db.runs.results import ResultRepository
from shared.db.runs.stages import RunStages
from shared.db.schema.migrate import upgrade
from shared.db.tables.benchmarks import Result
from shared.program.heap import FullCollections, keep_what_is_loaded
from shared.providers.prices import PriceList
from shared.settings import load_key_ring, load_settings
from tests.support.servers.postgresql import embedded_postgresql
from worker.engine.children import Children
from worker.monitoring import WorkerMonitor
from worker.run.context import RunContext
from worker.run.control import BenchmarkRun

COMPARED = ("ttft_ms", "latency_ms", "tpot_ms", "queue_ms")
BLOCK_BOUND_MS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=4, help="of each answer")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the worker, one for the endpoint")
    os.sched_setaffinity(0, {cores[0]})
    port = free_port()
    endpoint = {"name": "truth", "protocol": "openai", "base_url": f"http://127.0.0.1:{port}/v1"}
    os.environ["PROVIDERS"] = orjson.dumps([endpoint]).decode()
    with tempfile.TemporaryDirectory() as folder, database_at(options.database, folder) as url:
        os.environ["DATABASE_URL"] = url
        upgrade(url)
        server = TruthServer(build(Path(folder)), port=port, core=cores[1], ttft_ms=20, gap_ms=2, tokens=options.tokens)
        with server:
            asyncio.run(measure(url, options))


@contextmanager
def database_at(kind: str, folder: str) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/long.db"
        return
    with embedded_postgresql() as server:
        yield server.url


async def measure(url: str, options: argparse.Namespace) -> None:
    watch, database, children = LoopWatch(), Database(url), Children()
    settings, price_list = load_settings(), PriceList()
    benchmarks, leases = BenchmarkRepository(LOCAL, database), LeaseRepository(database, lease_s=30)
    context = RunContext(
        settings=settings,
        clock=SystemClock(),
        endpoints=settings.endpoints(price_list),
        keys=load_key_ring(),
        price_list=price_list,
        benchmarks=RunBenchmarks(database),
        leases=leases,
        results=ResultRepository(database),
        segments=RunSegments(database),
        stages=RunStages(database),
        observations=RunObservations(database),
        datasets=RunDatasets(database),
        payments=Payments(database),
        children=children,
        monitor=WorkerMonitor(database),
    )
    # The first run of a process imports and compiles what every later one has.
    await run(context, leases, await submit(benchmarks, 1_000, options))
    number = await submit(benchmarks, options.requests // 1_000 * 1_000, options)
    keep_what_is_loaded()
    await asyncio.sleep(0)  # what came before is another step of the loop
    watch.begin()
    print(f"{options.requests:,} requests of {options.tokens} tokens, {options.streams} at a time")
    collecting = asyncio.create_task(FullCollections().run(lambda: True))
    running = asyncio.create_task(run(context, leases, number))
    await follow(benchmarks, number, options.requests, running)
    await running
    watch.end()
    collecting.cancel()
    row = await benchmarks.get(number)
    summary: dict[str, Any] = row.summary or {}
    print(f"{row.status}; longest step of the loop {watch.longest_ms:.1f} ms of CPU (bound {BLOCK_BOUND_MS})")
    tell(watch, options.requests)
    print(
        f"output_token_throughput {summary['output_token_throughput']:.0f}/s, grade {summary['measurement']['grade']}"
    )
    await compare(database, number, summary)
    await children.close()
    await database.close()


def tell(watch: LoopWatch, requests: int) -> None:
    cpu_us, loop_us = watch.cpu_s / requests * 1e6, watch.loop_cpu_s / requests * 1e6
    print(f"{requests / watch.took_s:.0f} requests/s, {cpu_us:.0f} µs of CPU each, {loop_us:.0f} of them on the loop")
    print(f"{watch.steps:,} steps; {watch.stolen} more were stopped by the hypervisor. The longest:")
    for step in watch.longest:
        print(f"  {step.took_ms:5.1f} ms, {step.collecting_ms:4.1f} of them collecting garbage: {step.what[:150]}")
    for generation, count in enumerate(watch.collections):
        longest_ms = watch.longest_collection_ms[generation]
        print(f"  {count:6,} collections of generation {generation}, the longest {longest_ms:.1f} ms")


async def submit(benchmarks: BenchmarkRepository, requests: int, options: argparse.Namespace) -> int:
    spec = BenchmarkSpec.model_validate(
        {
            "name": "long run",
            "model": "truth",
            "prompts": ["How long?"] * 1_000,
            "repetitions": requests // 1_000,
            "concurrency": options.streams,
            "parameters": {"max_tokens": options.tokens},
        }
    )
    return (await benchmarks.create(spec, "truth")).id


async def run(context: RunContext, leases: LeaseRepository, number: int) -> None:
    claimed = await leases.claim("long-run")
    while claimed is not None:
        await BenchmarkRun(context, *claimed).run()
        if claimed[0].benchmark_id == number:
            return
        claimed = await leases.claim("long-run")


async def follow(benchmarks: BenchmarkRepository, number: int, requests: int, running: asyncio.Task[None]) -> None:
    own, samples = psutil.Process(), []
    while not running.done():
        await asyncio.sleep(0.5)
        done = (await benchmarks.get(number)).done / requests
        while len(samples) <= done * 10:
            samples.append(own.memory_info().rss / 1e6)
            print(f"  {len(samples) - 1:>2}0 % done: {samples[-1]:6.1f} MB", flush=True)
    print(f"  from the second tenth to the last: {samples[-1] - samples[2]:+.1f} MB")


async def compare(database: Database, number: int, summary: dict[str, Any]) -> None:
    stated = summary["ttft_ms"]["relative_error"]
    print(f"  {'':12}{'':>5}{'summary':>12}{'numpy':>12}{'off by':>10}  (stated error: {stated:.1%})")
    for name in COMPARED:
        async with database.read() as session:
            column = getattr(Result, name)
            query = select(column).where(Result.benchmark_id == number, column.is_not(None))
            values = np.array((await session.scalars(query)).all(), dtype=float)
        for percent in (50, 95, 99):
            found, exact = summary[name][f"p{percent}"], float(np.percentile(values, percent))
            off = abs(found - exact) / exact if exact else abs(found)
            print(f"  {name:12}{f'P{percent}':>5}{found:12.4f}{exact:12.4f}{off:10.3%}")


if __name__ == "__main__":
    main()
