"""How long endpoints, claims and deliveries take as the database grows.

    python -m benchmarks.growth [--counts 1000,10000,100000] [--calls 100] [--databases sqlite,postgresql] [--cpu]

Each database is filled by SQL with benchmarks of ten results each. Besides, a delivery of every benchmark waits for an
endpoint that hangs. The API runs in this process and is called without a network, one call after the other.
`--cpu` measures the processor time of this process instead, for a machine on which others run. PostgreSQL's own is not
in it.
"""

import argparse
import asyncio
import gc
import resource
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from shared.access.caller import LOCAL
from shared.clock import monotonic_ns, wall_now
from shared.db.connection.database import Database
from shared.db.runs.leases import LeaseRepository
from shared.db.schema.migrate import upgrade
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository
from shared.db.webhooks.endpoints import WebhookRepository
from shared.numbers.statistics import percentile
from shared.providers.key_ring import KeyRing
from shared.webhooks.secret_box import new_key
from tests.support.databases.many_rows import FAST, QUIET, Filled, fill
from tests.support.programs.ports import free_port
from tests.support.servers.postgresql import embedded_postgresql
from tests.support.service import make_settings, running_api

BOUND_MS = 30.0
# Calls before the measured ones.
WARMUP = 5

Call = Callable[[], Awaitable[Any]]
Clock = Callable[[], int]
# Milliseconds of each call, by name.
Times = dict[str, list[float]]


async def measure(url: str, count: int, calls: int, clock_ns: Clock) -> Times:
    """Fills the database at this URL and calls everything so many times."""
    database = Database(url)
    begin_ns = monotonic_ns()
    filled = await fill(database, count)
    print(f"  {count:,} benchmarks inserted in {(monotonic_ns() - begin_ns) / 1e9:.0f} s", flush=True)
    redis = f"redis://127.0.0.1:{free_port()}/0"
    settings = make_settings(url, redis, "http://127.0.0.1:9", encryption_key=new_key(), log_level="ERROR")
    times: Times = {}
    async with running_api(settings, KeyRing({})) as client:
        everything = [*reads(client, filled), *writes(client, filled), *worker_steps(database, filled)]
        # As an API of its own does once; this process fills databases too.
        gc.collect()
        gc.freeze()
        for name, call in everything:
            times[name] = [await timed(call, clock_ns) for _ in range(calls + WARMUP)][WARMUP:]
    await database.close()
    return times


async def timed(call: Call, clock_ns: Clock) -> float:
    begin_ns = clock_ns()
    await call()
    return (clock_ns() - begin_ns) / 1e6


def cpu_ns() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round((usage.ru_utime + usage.ru_stime) * 1e9)


def reads(client: httpx2.AsyncClient, filled: Filled) -> Iterator[tuple[str, Call]]:
    middle, day = f"/benchmarks/{filled.middle}", wall_now().strftime("%Y-%m-%dT00:00:00Z")

    def get(path: str) -> Call:
        async def call() -> None:
            (await client.get(path)).raise_for_status()

        return call

    for name, path in (
        ("GET /benchmarks, page of 50", "/benchmarks?limit=50"),
        ("  status=failed", "/benchmarks?status=failed&limit=50"),
        ("  model", "/benchmarks?model=model-7&limit=50"),
        ("  provider, rare", "/benchmarks?provider=rare&limit=50"),
        ("  rerun_of", "/benchmarks?rerun_of=199&limit=50"),
        ("  name, found often", "/benchmarks?name=nightly&limit=50"),
        ("  name, found nowhere", "/benchmarks?name=weekly&limit=50"),
        ("  created_before", f"/benchmarks?created_before={day}&limit=50"),
        ("GET /benchmarks/{id}", middle),
        ("  include=none", f"{middle}?include=none"),
        ("  include=timeline", f"{middle}?include=timeline"),
        ("GET /benchmarks/{id}/results", f"{middle}/results?limit=50"),
        ("  sort=-ttft_ms", f"{middle}/results?sort=-ttft_ms&limit=50"),
        ("  outcome=errored", f"{middle}/results?outcome=errored&limit=50"),
        ("GET /benchmarks/{id}/prompts", f"{middle}/prompts"),
        ("GET /benchmarks/{id}/webhook-deliveries", f"{middle}/webhook-deliveries?limit=50"),
        ("GET /webhooks", "/webhooks?limit=50"),
        ("GET /webhooks/{id}/deliveries", f"/webhooks/{FAST}/deliveries?limit=50"),
        ("  of a quiet endpoint", f"/webhooks/{QUIET}/deliveries?limit=50"),
        ("GET /workers", "/workers"),
        ("GET /providers", "/providers"),
        ("GET /metrics", "/metrics"),
    ):
        yield name, get(path)


def writes(client: httpx2.AsyncClient, filled: Filled) -> Iterator[tuple[str, Call]]:
    body = {"name": "new", "model": "sim", "prompts": ["x"]}
    number = iter(range(10**9))

    async def post() -> None:
        (await client.post("/benchmarks", json=body)).raise_for_status()

    async def post_once() -> None:
        headers = {"Idempotency-Key": f"new-{next(number)}"}
        (await client.post("/benchmarks", json=body, headers=headers)).raise_for_status()

    async def rerun() -> None:
        (await client.post(f"/benchmarks/{filled.middle}/rerun")).raise_for_status()

    async def create_and(method: str, path: str) -> None:
        created = await client.post("/benchmarks", json=body)
        (await client.request(method, f"/benchmarks/{created.json()['id']}{path}")).raise_for_status()

    async def redeliver() -> None:
        path = f"/benchmarks/{filled.middle}/webhook-deliveries/{filled.middle}/redeliver"
        (await client.post(path)).raise_for_status()

    yield "POST /benchmarks", post
    yield "  with Idempotency-Key", post_once
    yield "POST /benchmarks/{id}/rerun", rerun
    yield "POST /benchmarks and POST …/cancel", lambda: create_and("POST", "/cancel")
    yield "POST /benchmarks and DELETE", lambda: create_and("DELETE", "")
    yield "POST …/redeliver", redeliver


def worker_steps(database: Database, filled: Filled) -> Iterator[tuple[str, Call]]:
    leases, deliveries = LeaseRepository(database, lease_s=3_600), DeliveryRepository(database)
    endpoints = WebhookRepository(LOCAL, database)

    async def claim() -> None:
        if await leases.claim("bench") is None:
            raise SystemExit("no benchmark was left to claim")

    async def settle_due() -> None:
        for due in await deliveries.claim(256):
            await deliveries.settle(due, Attempt(succeeded=True, duration_ms=1.0))

    async def deliver() -> None:
        await endpoints.test(FAST)
        await settle_due()

    yield "claim of a benchmark", claim
    # The first call, which is not measured, takes what the calls before have left.
    yield f"claim of a delivery while {filled.count:,} wait for an endpoint that hangs", settle_due
    yield "test event, claim and settle, beside those", deliver


def table(name: str, measured: dict[int, Times]) -> Iterator[str]:
    """The rows of a table in Markdown."""
    counts = list(measured)
    yield f"| {name} | " + " | ".join(f"{count:,} benchmarks" for count in counts) + " |"
    yield "|---|" + "---|" * len(counts)
    # Names of steps contain the count.
    for row in zip(*(measured[count].items() for count in counts), strict=True):
        cells = [f"{percentile(values, 50):.1f} / {percentile(values, 99):.1f}" for _, values in row]
        yield f"| {row[-1][0].replace('  ', '… ')} | " + " | ".join(cells) + " |"


@contextmanager
def servers(kind: str) -> Iterator[Callable[[int], str]]:
    """Gives the URL of an empty, migrated database for each count."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="llmbench-growth-") as folder:
            yield lambda count: migrated(f"sqlite:///{Path(folder) / f'{count}.db'}")
        return
    with embedded_postgresql() as server:
        yield lambda count: migrated(asyncio.run(created(server.url, f"growth_{count}")))


async def created(server: str, name: str) -> str:
    database = Database(server)
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.exec_driver_sql(f"CREATE DATABASE {name}")
    await database.close()
    return server.replace("/postgres", f"/{name}")


def migrated(url: str) -> str:
    upgrade(url)
    return url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="1000,10000,100000", help="benchmarks in the database")
    parser.add_argument("--calls", type=int, default=100, help="measured calls of each kind")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--cpu", action="store_true", help="processor time instead of elapsed time")
    options = parser.parse_args()
    clock_ns = cpu_ns if options.cpu else monotonic_ns
    counts = [int(count) for count in options.counts.split(",")]
    slowest = 0.0
    for kind in options.databases.split(","):
        with servers(kind) as url_for:
            print(kind, flush=True)
            measured = {n: asyncio.run(measure(url_for(n), n, options.calls, clock_ns)) for n in counts}
        print(f"\nP50 / P99 of {options.calls} calls, in ms{' of processor time' if options.cpu else ''}\n")
        print(
            "\n".join(table({"sqlite": "SQLite", "postgresql": "PostgreSQL"}[kind], measured)), end="\n\n", flush=True
        )
        slowest = max(slowest, *(percentile(values, 99) for times in measured.values() for values in times.values()))
    print(f"bound: P99 {BOUND_MS:g} ms; the largest is {slowest:.1f} ms; ratio {slowest / BOUND_MS:.2f}")


if __name__ == "__main__":
    main()
