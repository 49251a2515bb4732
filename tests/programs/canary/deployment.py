"""API, worker, simulator, Valkey and a database as real processes, with a planted secret wherever one can stand."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import orjson
from redis.asyncio import Redis

from cli.stack import valkey
from shared.db.schema.migrate import upgrade
from shared.settings import process_environment
from shared.webhooks.secret_box import new_key
from tests.programs.canary.canaries import Search
from tests.programs.canary.echo import EchoServer, echo_server
from tests.support.programs.deployment import Program, SimulatorProcess, simulator_process
from tests.support.programs.ports import free_port
from tests.support.servers.otlp import Collector, collector
from tests.support.servers.postgresql import embedded_postgresql
from tests.support.servers.receiver import Receiver, receiver
from tests.support.waiting import until

# What only workers have.
PROVIDER_SECRETS = ("CANARY_KEY", "CANARY_TOKEN", "CANARY_SIGNATURE")


@dataclass
class Deployment:
    """`client` sends no key of its own, and everything that it is answered is searched."""

    folder: Path
    search: Search
    client: httpx2.AsyncClient
    simulator: SimulatorProcess
    echo: EchoServer
    hooks: Receiver
    spans: Collector
    database_url: str
    redis: Redis
    environment: dict[str, str]
    # Those of providers, which only workers have.
    secrets: dict[str, str]
    programs: list[Program] = field(default_factory=list)

    def start(self, name: str, command: list[str], **environment: str) -> Program:
        log = self.folder / f"{name}.log"
        # With a command line of its own, which is searched.
        program = Program(name, command, self.environment | environment, log, fresh=True)
        self.programs.append(program)
        return program

    def start_worker(self) -> Program:
        number = len(list(self.folder.glob("worker-*.log"))) + 1
        command = [sys.executable, "-m", "arq", "worker.main.WorkerSettings"]
        return self.start(f"worker-{number}", command, **self.secrets)

    async def cli(self, *arguments: str, **environment: str) -> str:
        """What `llmbench …` prints on stdout. All of it is searched."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", *arguments),
            env=self.environment | environment,
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        self.search.keep(f"terminal, stderr: {arguments[0]} {arguments[1]}", err)
        self.search.keep(f"terminal: {arguments[0]} {arguments[1]}", out)
        return out.decode().strip()

    def command_lines(self) -> bytes:
        """Of every process that was started here, and of its children."""
        return b"\n".join(_command_lines(program.pid) for program in self.programs)


def _command_lines(pid: int) -> bytes:
    try:
        own = Path(f"/proc/{pid}/cmdline").read_bytes()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return b""
    return b"\n".join((own, *(_command_lines(int(child)) for child in children)))


@asynccontextmanager
async def deployment(kind: str, folder: Path) -> AsyncIterator[Deployment]:
    search = Search()
    # None of them looks like a key, so that only knowing it helps; the last one does.
    secrets = {name: search.plant(name.lower()) for name in PROVIDER_SECRETS[:2]}
    secrets["CANARY_SIGNATURE"] = search.plant("signature", "c4n+ry/sig=7f3a&91" + search.canaries[0].value[-8:])
    secrets["OPENAI_API_KEY"] = search.plant("openai", f"sk-proj-{search.canaries[0].value[-24:]}")
    encryption, pepper, otlp = new_key(), search.plant("pepper"), search.plant("otlp")
    search.plant("encryption", encryption)
    database_password, redis_password = search.plant("dbpassword"), search.plant("redispassword")
    async with AsyncExitStack() as stack:
        simulator = stack.enter_context(simulator_process(folder))
        spans = stack.enter_context(collector())
        echo = await stack.enter_async_context(echo_server())
        hooks = await stack.enter_async_context(receiver())
        url = f"sqlite:///{folder / 'canary.db'}"
        if kind == "postgresql":
            server = stack.enter_context(embedded_postgresql())
            url = f"postgresql://test:{database_password}@127.0.0.1:{server.port}/postgres"
        await asyncio.to_thread(upgrade, url)
        redis_port, api_port = free_port(), free_port()
        environment = process_environment(
            DATABASE_URL=url,
            REDIS_URL=f"redis://:{redis_password}@127.0.0.1:{redis_port}/0",
            SIMULATOR_URL=simulator.url,
            PROVIDERS=orjson.dumps(_endpoints(simulator.url, echo)).decode(),
            ENCRYPTION_KEY=encryption,
            SECRET_KEY=pepper,
            ALLOWED_PRIVATE_CIDRS="127.0.0.0/8",
            LEASE_S="4",
            SWEEP_S="1",
            # The most that programs say.
            LOG_LEVEL="DEBUG",
            OTEL_EXPORTER_OTLP_ENDPOINT=spans.url,
            OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer%20{otlp}",
            OTEL_BSP_SCHEDULE_DELAY="200",
        )
        client = await stack.enter_async_context(
            httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{api_port}",
                timeout=60,
                event_hooks={"response": [lambda response: _keep_answer(search, response)]},
            )
        )
        running = Deployment(
            folder,
            search,
            client,
            simulator,
            echo,
            hooks,
            spans,
            url,
            Redis(port=redis_port, password=redis_password),
            environment,
            secrets,
        )
        try:
            await _start(running, redis_port, api_port, redis_password)
            yield running
        finally:
            for program in running.programs:
                program.kill()
            await running.redis.aclose()


async def _keep_answer(search: Search, response: httpx2.Response) -> None:
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.multi_items())
    request = response.request
    search.keep(f"answer: {request.method} {request.url.path}", head.encode() + b"\n\n" + await response.aread())


def _endpoints(simulator: str, echo: EchoServer) -> list[dict[str, object]]:
    assert echo.server is not None
    key: dict[str, object] = {"protocol": "openai", "api_key_env": "CANARY_KEY"}
    more = {"headers": {"x-team-token": {"env": "CANARY_TOKEN"}}, "query": {"sig": {"env": "CANARY_SIGNATURE"}}}
    return [
        {"name": "simulated", "base_url": f"{simulator}/v1", **key},
        {"name": "echo", "base_url": f"{echo.server.url.partition('/hooks')[0]}/v1", **key, **more},
    ]


async def _start(running: Deployment, redis_port: int, api_port: int, password: str) -> None:
    # A file, because command lines are seen by everyone.
    configuration = running.folder / "valkey.conf"
    configuration.write_text(f"requirepass {password}\n")
    command = valkey.arguments(redis_port, running.folder)
    running.start("valkey", [command[0], str(configuration), *command[1:]])
    api = ("uvicorn", "--factory", "api.main:create_app", "--http", "h11", "--port", str(api_port))
    running.start("api", [sys.executable, "-m", *api])
    running.start_worker()

    async def ready() -> bool:
        try:
            return (await running.client.get("/ready")).status_code == 200
        except httpx2.TransportError:
            return False

    await until(ready)
