"""Workers of the two schemas before go on while the database is migrated and a newer API submits to them.

Their code comes from the repository's history: what stood there right before the migration that they do not know.
"""

import asyncio
import io
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import select, text, update

from shared.access.caller import LOCAL, Caller
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.new_benchmark import NewBenchmark, insert_benchmark
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.schema.migrate import downgrade, upgrade
from shared.db.schema.revision import MIGRATIONS
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookDelivery, WebhookEndpoint, WebhookEvent
from shared.db.tables.workers import Worker
from shared.db.webhooks.endpoints import WebhookRepository
from shared.db.workers.repository import OLD_WORKER_S
from shared.errors import Conflict
from shared.providers.identity import EndpointIdentity
from shared.settings import process_environment
from shared.webhooks.message import NewEndpoint
from tests.support.programs.deployment import Program, SimulatorProcess, simulator_process
from tests.support.programs.ports import free_port
from tests.support.waiting import PATIENCE_S, until

ROOT = MIGRATIONS.parent
WORKER = [sys.executable, "-m", "arq", "worker.main.WorkerSettings"]
SPEC = {"name": "upgrade", "model": "sim-ttft150-gap10-n4", "concurrency": 2}
ACME = Caller("acme", "run")
PROGRAMS = ("api", "worker", "shared", "migrations", "simulator", "cli")


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def migration_named(revision: str) -> Script:
    return ScriptDirectory(str(MIGRATIONS)).get_revision(revision)


def migration(back: int) -> Script:
    """The newest one, or the one before."""
    return list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())[back]


def program_before(script: Script, folder: Path) -> None:
    """Unpacks the last state of the programs that did not know this migration."""
    path = Path(script.path).relative_to(ROOT)
    # On the main line: a branch that was merged may lack the migration before.
    line = ("--first-parent", "-m")
    added = git("log", *line, "--diff-filter=A", "--format=%H", "-1", "--", str(path)).decode().strip()
    # One that is not committed yet: everything committed is before it.
    archive = git("archive", f"{added}^" if added else "HEAD", *PROGRAMS)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    assert not (folder / path).exists()


@dataclass
class Upgrade:
    """A deployment in the middle of its upgrade."""

    database_url: str
    environment: dict[str, str]
    folder: Path
    client: httpx2.AsyncClient
    simulator: SimulatorProcess
    programs: list[Program]

    def start(self, name: str, command: list[str], cwd: Path | None = None) -> Program:
        """`cwd`: where the program's code lies; its measuring processes are to take theirs there as well."""
        environment = self.environment if cwd is None else {**self.environment, "PYTHONPATH": str(cwd)}
        log = self.folder / f"{name}.log"
        # Other code than that of this process.
        program = Program(name, command, environment, log, cwd=cwd, fresh=cwd is not None)
        self.programs.append(program)
        return program

    async def start_before(self, unknown: Script) -> tuple[Program, Path]:
        """A worker that does not know this migration, on the schema that it does know; and where its code lies."""
        code = self.folder / "before"
        await asyncio.to_thread(program_before, unknown, code)
        await asyncio.to_thread(downgrade, self.database_url, str(unknown.down_revision))
        return self.start("before", WORKER, cwd=code), code

    async def workers(self) -> int:
        """How many have ever reported; by SQL, as no API runs yet."""
        database = Database(self.database_url)
        async with database.read() as session:
            count = await session.scalar(text("SELECT count(*) FROM workers"))
        await database.close()
        return count or 0

    async def report(self, program: Program) -> None:
        """Waits until a worker has reported."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.workers():
                assert program.running, program.log.read_text()
                await asyncio.sleep(0.1)

    async def start_api(self) -> None:
        port = str(self.client.base_url.port)
        self.start("api", [sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app", "--port", port])
        async with asyncio.timeout(PATIENCE_S):
            while not await self._ready():
                await asyncio.sleep(0.1)

    async def _ready(self) -> bool:
        try:
            return (await self.client.get("/ready")).status_code == 200
        except httpx2.TransportError:
            return False

    async def submit(self, requests: int) -> str:
        response = await self.client.post("/benchmarks", json={**SPEC, "prompts": ["x"] * requests})
        assert response.status_code == 202, response.text
        location: str = response.headers["location"]
        return location

    async def until(self, url: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(document := (await self.client.get(url)).json()):
                await asyncio.sleep(0.05)
        return document


@pytest.fixture
async def running(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Upgrade]:
    with simulator_process(tmp_path) as simulator:
        environment = process_environment(
            DATABASE_URL=database_url, REDIS_URL=redis_url, SIMULATOR_URL=simulator.url, SWEEP_S="1"
        )
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}", timeout=PATIENCE_S) as client:
            upgrading = Upgrade(database_url, environment, tmp_path, client, simulator, [])
            try:
                yield upgrading
            finally:
                for program in upgrading.programs:
                    program.kill()


def has_history() -> bool:
    """A shallow clone or an unpacked archive has none."""
    try:
        return git("rev-parse", "--is-shallow-repository").decode().strip() == "false"
    except (OSError, subprocess.CalledProcessError):
        return False


needs_history = pytest.mark.skipif(not has_history(), reason="no git history here, which the earlier workers come from")


@needs_history
@pytest.mark.parametrize("back", [0, 1])
async def test_workers_of_the_schema_before_go_on(running: Upgrade, back: int) -> None:
    before, code = await running.start_before(migration(back))
    # Whatever its children leave out of the path.
    where = [sys.executable, "-P", "-c", "import worker.engine.child as child; print(child.__file__)"]
    looked = running.start("where", where, cwd=code)
    assert await looked.ended() == 0
    assert looked.log.read_text().startswith(str(code))
    await running.report(before)

    await asyncio.to_thread(upgrade, running.database_url)
    await running.start_api()
    alone = await running.until(await running.submit(4), lambda document: document["completed_at"] is not None)
    assert alone["status"] == "completed", alone["error"]
    assert (alone["progress"]["done"], alone["progress"]["errors"]) == (4, 0)

    url = await running.submit(60)
    await running.until(url, lambda document: document["progress"]["done"] > 2)
    before.signal(signal.SIGTERM)
    running.start("now", WORKER)
    rolled = await running.until(url, lambda document: document["completed_at"] is not None)
    assert rolled["status"] == "completed", rolled["error"]
    assert rolled["progress"]["done"] == 60
    assert [segment["ended_by"] for segment in rolled["segments"]] == ["released", "completed"]
    # Each was sent once, by the one or the other.
    assert len(running.simulator.requests(4 + 60)) == 4 + 60

    again = running.start("again", WORKER, cwd=code)
    assert await again.ended() != 0
    assert f"schema is at revision {migration(0).revision}" in again.log.read_text()


async def unseen_by_old_workers(database: Database, spec: BenchmarkSpec, endpoint: EndpointIdentity) -> int:
    """Stores a benchmark of ACME as if no worker of an older version had reported lately."""
    new = NewBenchmark(spec, endpoint.name, (), endpoint, None, None, None, capped=False)
    prompts = await new.prompt_set()
    async with database.write() as session:
        await session.execute(update(Worker).values(heartbeat_at=utc_now(-OLD_WORKER_S - 1)))
        return (await insert_benchmark(session, ACME, new, prompts)).id


async def told(database: Database) -> list[tuple[str, int, str]]:
    """(owner of the endpoint, benchmark, type) of every delivery, in order."""
    query = (
        select(WebhookEndpoint.owner, WebhookEvent.benchmark_id, WebhookEvent.type)
        .join(WebhookDelivery, WebhookDelivery.endpoint_id == WebhookEndpoint.id)
        .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
        .order_by(WebhookDelivery.id)
    )
    async with database.read() as session:
        return [tuple(row) for row in await session.execute(query)]  # type: ignore[misc]


@needs_history
async def test_workers_without_owners_tell_no_endpoint_of_another_owners_benchmark(running: Upgrade) -> None:
    before, _ = await running.start_before(migration_named("0015"))
    await running.report(before)
    await asyncio.to_thread(upgrade, running.database_url)
    await running.start_api()
    database = Database(running.database_url)
    for caller in (LOCAL, ACME):
        await WebhookRepository(caller, database).add(NewEndpoint("http://127.0.0.1:9/", None, ["sealed"]))

    async def ended() -> int:
        """Id of another benchmark of `default` that the old worker has run."""
        document = await running.until(await running.submit(2), lambda found: found["completed_at"] is not None)
        assert document["status"] == "completed", document["error"]
        return int(document["id"])

    first = await ended()
    row = await BenchmarkRepository(LOCAL, database).get(first)
    endpoint = EndpointIdentity(**(row.endpoint or {}))
    spec = BenchmarkSpec.model_validate({**SPEC, "prompts": ["x"] * 2}).with_defaults()
    benchmarks = BenchmarkRepository(ACME, database)
    # While such a worker lives, none is taken at all.
    with pytest.raises(Conflict, match="is of a version that knows no owners"):
        await benchmarks.create(spec, endpoint.name, endpoint=endpoint)
    theirs = await unseen_by_old_workers(database, spec, endpoint)
    second = await ended()
    assert await benchmarks.status(theirs) == "pending"
    ours = [
        ("default", number, f"benchmark.{event}") for number in (first, second) for event in ("started", "completed")
    ]
    assert await told(database) == ours

    running.start("now", WORKER)

    async def theirs_has_completed() -> bool:
        return await benchmarks.status(theirs) == "completed"

    await until(theirs_has_completed)
    assert await told(database) == [
        *ours,
        ("acme", theirs, "benchmark.started"),
        ("acme", theirs, "benchmark.completed"),
    ]
    await database.close()
