"""A whole deployment of real processes, each part of which can be killed, stopped, restarted or cut off."""

import asyncio
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson
from redis.asyncio import Redis
from sqlalchemy import update

from cli.stack import valkey
from shared.db.connection.database import Database
from shared.db.schema.migrate import upgrade
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookDelivery
from shared.queue.doorbell import CHANNEL
from shared.settings import process_environment
from shared.webhooks.secret_box import new_key
from tests.support.databases.ledger import priced
from tests.support.programs.deployment import Program, SimulatorProcess, answers, simulator_process
from tests.support.programs.ports import free_port
from tests.support.servers.postgresql import EmbeddedPostgresql, embedded_postgresql
from tests.support.servers.proxy import Proxy, proxy_to
from tests.support.servers.receiver import Receiver, receiver, status
from tests.support.waiting import PATIENCE_S

LEASE_S, SWEEP_S = 4.0, 1.0
# What a busy machine may add to a time that is promised in seconds.
NOISE_S = 15.0
Json = dict[str, Any]


@dataclass
class Chaos:
    """The deployment. `kind` is its database's: sqlite or postgresql."""

    kind: str
    folder: Path
    client: httpx2.AsyncClient
    simulator: SimulatorProcess
    redis_proxy: Proxy
    database_proxy: Proxy | None
    postgresql: EmbeddedPostgresql | None
    sqlite_path: Path | None
    redis_port: int
    environment: dict[str, str]
    hooks: Receiver
    # Of the endpoint that is registered for all benchmarks, once the API runs.
    hooks_secret: str = ""
    valkey: Program | None = None
    api: Program | None = None
    workers: list[Program] = field(default_factory=list)
    # Every benchmark that a POST was answered 202 for.
    accepted: list[int] = field(default_factory=list)
    # What each was seen to be, in order.
    seen: dict[int, list[str]] = field(default_factory=dict)

    # The parts.

    def start_valkey(self) -> None:
        """It keeps its data, as a Redis for this service should."""
        command = valkey.arguments(self.redis_port, self.folder)
        command[command.index("--appendonly") + 1] = "yes"
        self.valkey = Program("valkey", command, {}, self.folder / "valkey.log")

    def start_api(self, **environment: str) -> None:
        port = self.client.base_url.port
        command = [sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app", "--port", str(port)]
        self.api = Program("api", command, self.environment | environment, self.folder / "api.log")

    def start_worker(
        self, settings: str = "worker.main.WorkerSettings", *, fresh: bool = False, **environment: str
    ) -> Program:
        command = [sys.executable, "-m", "arq", settings]
        name = f"worker-{len(list(self.folder.glob('worker-*.log'))) + 1}"
        log = self.folder / f"{name}.log"
        worker = Program(name, command, self.environment | environment, log, fresh=fresh)
        self.workers.append(worker)
        return worker

    async def ready(self) -> None:
        """API, database, Redis and at least one worker answer."""
        async with asyncio.timeout(PATIENCE_S):
            while not await answers(self.client, "/ready"):
                await asyncio.sleep(0.1)

    async def whole(self) -> None:
        """Three workers, an API with the clock that the host has, and nothing cut off: as before any fault."""
        if self.valkey is None or not self.valkey.running:
            self.start_valkey()
        for proxy in (self.redis_proxy, self.database_proxy):
            if proxy is not None:
                await proxy.cut()
                proxy.swallow = False
                await proxy.start()
        if self.api is None or not self.api.running:
            self.start_api()
        self.workers = [worker for worker in self.workers if worker.running]
        while len(self.workers) < 3:
            self.start_worker()
        await self.ready()
        if not self.hooks_secret:
            self.hooks_secret = (await self.client.post("/webhooks", json={"url": self.hooks.url})).json()["secret"]
        async with asyncio.timeout(PATIENCE_S):
            while await self._alive() < 3:
                await asyncio.sleep(0.1)

    async def _alive(self) -> int:
        workers = (await self.client.get("/workers")).json()
        pids = {item["pid"] for item in workers["items"] if item["alive"]}
        return len(pids & {worker.pid for worker in self.workers})

    async def replace_api(self, **environment: str) -> None:
        if self.api is not None:
            self.api.signal(signal.SIGTERM)
            await self.api.ended()
        self.start_api(**environment)
        await self.ready()

    async def end_workers(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.workers = []

    # What a client does.

    async def submit(self, **spec: Any) -> int:
        body = {"name": "chaos", "provider": "priced", **spec}
        response = await self.client.post("/benchmarks", json=body)
        assert response.status_code == 202, response.text
        number: int = response.json()["id"]
        self.accepted.append(number)
        return number

    async def read(self, number: int) -> Json:
        document: Json = (await self.client.get(f"/benchmarks/{number}", params={"include": "none"})).json()
        path = self.seen.setdefault(number, [])
        if not path or path[-1] != document["status"]:
            path.append(document["status"])
        return document

    async def until(self, number: int, holds: Callable[[Json], bool]) -> Json:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                document = await self.read(number)
                if holds(document):
                    return document
            except (httpx2.TransportError, KeyError):
                document = {"status": "not readable"}
            assert time.monotonic() < deadline, (number, document)
            await asyncio.sleep(0.03)

    async def ended(self, number: int) -> Json:
        return await self.until(number, lambda document: "completed_at" in document and document["completed_at"])

    async def under_way(self, number: int, results: int = 1) -> Json:
        return await self.until(number, lambda document: document["progress"]["done"] >= results)

    async def worker_of(self, number: int) -> Program:
        """The worker that runs the benchmark now. Fails at once if the benchmark has ended."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                workers = {item["id"]: item["pid"] for item in (await self.client.get("/workers")).json()["items"]}
                document = await self.read(number)
                assert not document["completed_at"], f"benchmark {number} has ended as {document['status']}"
                segments = document["segments"]
                if segments and segments[-1]["ended_at"] is None:
                    pid = workers.get(segments[-1]["worker_id"])
                    for worker in self.workers:
                        if worker.pid == pid and worker.running:
                            return worker
                await asyncio.sleep(0.05)

    async def freeze(self, worker: Program) -> None:
        """SIGSTOP. Not in the middle of a transaction of SQLite: its lock would be frozen as well, for everybody."""
        while True:
            worker.signal(signal.SIGSTOP)
            if self.sqlite_path is None:
                return
            try:
                with self.database_held(timeout_s=0.5):
                    return
            except sqlite3.OperationalError:
                worker.signal(signal.SIGCONT)
                await asyncio.sleep(0.05)

    async def listeners(self) -> int:
        """Workers that hear the doorbell; one that is asked to end stops to listen first."""
        async with Redis(port=self.redis_port) as redis:
            return int((await redis.pubsub_numsub(CHANNEL))[0][1])

    async def make_deliveries_due(self) -> None:
        """Attempts that wait for their time, or for a dead worker's lease to lapse, get it now."""
        database = Database(self.direct_url)
        async with database.write() as session:
            await session.execute(
                update(WebhookDelivery)
                .where(WebhookDelivery.status == "pending")
                .values(next_attempt_at=utc_now(), lease_expires_at=None)
            )
        await database.close()

    @property
    def direct_url(self) -> str:
        """The database, not through the proxy."""
        return self.postgresql.url if self.postgresql is not None else f"sqlite:///{self.sqlite_path}"

    # What the simulator saw.

    def mark(self) -> int:
        """Requests that have ended so far."""
        return len(self.simulator.requests())

    @contextmanager
    def database_held(self, timeout_s: float = 10) -> Iterator[None]:
        """SQLite's whole file is locked by somebody else. Raises OperationalError where it is already."""
        assert self.sqlite_path is not None
        connection = sqlite3.connect(self.sqlite_path, isolation_level=None, timeout=timeout_s)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()


@asynccontextmanager
async def chaos_stack(kind: str, folder: Path) -> AsyncIterator[Chaos]:
    async with AsyncExitStack() as stack:
        simulator = stack.enter_context(simulator_process(folder))
        redis_port, api_port = free_port(), free_port()
        redis_proxy = await stack.enter_async_context(proxy_to("127.0.0.1", redis_port))
        postgresql, database_proxy, sqlite_path = None, None, None
        if kind == "postgresql":
            postgresql = stack.enter_context(embedded_postgresql())
            await asyncio.to_thread(upgrade, postgresql.url)
            database_proxy = await stack.enter_async_context(proxy_to("127.0.0.1", postgresql.port))
            database_url = f"postgresql://test@127.0.0.1:{database_proxy.port}/postgres"
        else:
            sqlite_path = folder / "chaos.db"
            database_url = f"sqlite:///{sqlite_path}"
            await asyncio.to_thread(upgrade, database_url)
        hooks = await stack.enter_async_context(receiver(_now_and_then_broken))
        endpoint = priced(simulator.url, protocol="anthropic")
        environment = process_environment(
            DATABASE_URL=database_url,
            REDIS_URL=f"redis://127.0.0.1:{redis_proxy.port}/0",
            PROVIDERS=orjson.dumps([endpoint]).decode(),
            LEASE_S=str(LEASE_S),
            SWEEP_S=str(SWEEP_S),
            SHUTDOWN_GRACE_S="10",
            ENCRYPTION_KEY=new_key(),
            ALLOWED_PRIVATE_CIDRS="127.0.0.0/8",
            LOG_LEVEL="INFO",
            # One worker must be able to take what a dead one has left.
            WORKER_MAX_BENCHMARKS="4",
        )
        client = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{api_port}", timeout=PATIENCE_S)
        )
        chaos = Chaos(
            kind,
            folder,
            client,
            simulator,
            redis_proxy,
            database_proxy,
            postgresql,
            sqlite_path,
            redis_port,
            environment,
            hooks,
        )
        try:
            yield chaos
        finally:
            await chaos.end_workers()
            for program in (chaos.api, chaos.valkey):
                if program is not None:
                    program.kill()


def _now_and_then_broken(writer: asyncio.StreamWriter, number: int) -> None:
    """Every fifth event is refused at its first attempt."""
    status(500 if number % 5 == 4 else 204)(writer, number)
