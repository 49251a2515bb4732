"""The compose stack as it is shipped: built, started, broken, rolled, taken down and started again.

Needs a Docker engine with Compose v2. `make deploy-test` runs it; what it measured is printed at the end.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from shared.webhooks.message import new_secret
from shared.webhooks.secret_box import new_key
from tests.support.programs.ports import free_port

ROOT = Path(__file__).parents[2]
PROJECT = "llmbench-deploy-test"
PROVIDER_KEY = "sk-ant-deploy-test-0123456789abcdef"
REDIS_PASSWORD = secrets.token_hex(24)
BASE = "python:3.13-slim"
Json = dict[str, Any]


@dataclass
class Stack:
    """A compose project of its own beside whatever else runs."""

    environment: dict[str, str]
    url: str
    measured: dict[str, str] = field(default_factory=dict)

    def docker(self, *arguments: str, check: bool = True, given: str | None = None) -> str:
        """What it said on stdout. `given`: its standard input."""
        command = ["docker", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, input=given, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def docker_fails(self, *arguments: str) -> str:
        """What it said on stderr."""
        done = subprocess.run(
            ["docker", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0, done.stdout
        return done.stderr

    def compose(self, *arguments: str, check: bool = True) -> str:
        return self.docker("compose", "-p", PROJECT, "--profile", "demo", *arguments, check=check)

    def up(self, workers: int) -> None:
        self.compose("up", "-d", "--scale", f"worker={workers}")
        self.until(lambda: self.healthy("worker") == workers and self.healthy("api") == 1)

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "-q", service).split()

    def healthy(self, service: str) -> int:
        ids = self.containers(service)
        if not ids:
            return 0
        states = self.docker("inspect", "-f", "{{.State.Health.Status}}", *ids, check=False).split()
        return states.count("healthy")

    def until(self, holds: Callable[[], Any], seconds: float = 120) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            try:
                if found := holds():
                    return found
            except httpx2.TransportError:
                pass
            assert time.monotonic() < deadline, self.compose("ps", "-a") + self.compose("logs", "--tail", "30")
            # Between two looks. Each of them is a docker command or a request, and nothing tells when it will differ.
            time.sleep(0.2)

    def post(self, **spec: Any) -> Json:
        body = {"name": "deploy", "model": "sim-ttft150-gap10-n4", "prompts": ["x"] * 40, "concurrency": 2, **spec}
        response = httpx2.post(f"{self.url}/benchmarks", json=body, timeout=30)
        assert response.status_code == 202, response.text
        document: Json = response.json()
        return document

    def read(self, number: int) -> Json:
        document: Json = httpx2.get(f"{self.url}/benchmarks/{number}", timeout=30).json()
        return document

    def ended(self, number: int) -> Json:
        return dict(self.until(lambda: (found := self.read(number))["completed_at"] and found))

    def under_way(self, number: int, results: int = 3) -> Json:
        return dict(self.until(lambda: (found := self.read(number))["progress"]["done"] >= results and found))

    def worker_of(self, number: int) -> str:
        """The container that runs the benchmark now."""
        workers = {item["id"]: item["hostname"] for item in httpx2.get(f"{self.url}/workers").json()["items"]}
        hostname = workers[self.read(number)["segments"][-1]["worker_id"]]
        return next(item for item in self.containers("worker") if item.startswith(hostname))


# The first test builds the images, without a cache where there is none.
pytestmark = pytest.mark.timeout(1_800)


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of PROVIDERS_FILE, still without an endpoint."""
    path = tmp_path_factory.mktemp("endpoints") / "team.yaml"
    path.write_text("# None yet.\n")
    # Containers are another user.
    path.chmod(0o644)
    for folder in (path.parent, path.parent.parent):
        folder.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def stack(endpoints: Path) -> Iterator[Stack]:
    port = free_port()
    environment = {
        **os.environ,
        "LLMBENCH_PORT": str(port),
        "PROVIDERS_FILE": str(endpoints),
        "ANTHROPIC_API_KEY": PROVIDER_KEY,
        "ENCRYPTION_KEY": new_key(),
        "REDIS_PASSWORD": REDIS_PASSWORD,
        # The receiver of this test is a container.
        "ALLOWED_PRIVATE_CIDRS": "172.16.0.0/12,192.168.0.0/16",
        "LLMBENCH_VERSION": "deploy-test",
    }
    running = Stack(environment, f"http://127.0.0.1:{port}")
    running.compose("down", "-v", "--remove-orphans")
    try:
        begin = time.monotonic()
        running.compose("build", "--quiet")
        running.measured["build"] = f"{time.monotonic() - begin:.0f} s"
        begin = time.monotonic()
        running.up(3)
        running.measured["docker compose up to healthy, 3 workers"] = f"{time.monotonic() - begin:.1f} s"
        yield running
        print("\n".join(f"  {name}: {value}" for name, value in running.measured.items()))
    finally:
        running.docker("rm", "-f", f"{PROJECT}-hooks", check=False)
        running.compose("down", "-v", "--remove-orphans", check=False)


def test_a_first_benchmark_runs_without_any_key_and_without_env_file(stack: Stack) -> None:
    """And quickly: from nothing to a finished benchmark."""
    stack.compose("down", "-v")
    begin = time.monotonic()
    stack.compose("up", "-d", "--scale", "worker=3")
    stack.until(lambda: httpx2.get(f"{stack.url}/ready").status_code == 200)
    document = stack.ended(stack.post(prompts=["x"])["id"])
    stack.measured["docker compose up to the first finished benchmark"] = f"{time.monotonic() - begin:.1f} s"
    assert document["status"] == "completed"
    assert document["provider"] == "simulator"
    stack.up(3)


def test_images_say_what_they_are_and_check_their_health_without_python(stack: Stack) -> None:
    for name in ("api", "worker"):
        (found,) = json.loads(stack.docker("image", "inspect", f"llmbench-{name}:deploy-test"))
        labels = found["Config"]["Labels"]
        assert labels["org.opencontainers.image.version"] == "deploy-test"
        assert labels["org.opencontainers.image.source"].startswith("https://")
        assert labels["org.opencontainers.image.base.name"].startswith(BASE)
        assert found["Config"]["Healthcheck"]["Test"][:2] == ["CMD", "llmbench-health"]


LIST_INSTALLED = """
import importlib.metadata, json, platform
installed = importlib.metadata.distributions(path=['/opt/llmbench/lib/python3.13/site-packages'])
found = {item.name: item.version for item in installed}
print(json.dumps({**found, "python": platform.python_version()}))
"""


@pytest.mark.parametrize("name", ["api", "worker"])
def test_images_carry_an_sbom_of_everything_in_them(stack: Stack, name: str) -> None:
    image = f"llmbench-{name}:deploy-test"
    run = ("run", "--rm", "--no-healthcheck", "--entrypoint=")
    path = stack.docker("image", "inspect", "-f", '{{index .Config.Labels "io.llmbench.sbom"}}', image)
    sbom = json.loads(stack.docker(*run, image, "cat", path))
    root = sbom["metadata"]["component"]
    assert (root["type"], root["name"], root["version"]) == ("container", f"llmbench-{name}", "deploy-test")
    named = {(item["name"], item["version"]) for item in sbom["components"]}
    installed = json.loads(stack.docker(*run, image, "python", "-c", LIST_INSTALLED))
    assert len(installed) > 50
    assert set(installed.items()) <= named
    packages = stack.docker(*run, image, "dpkg-query", "--show", "--showformat", "${Package} ${Version}\n")
    debian = {tuple(line.split()) for line in packages.splitlines()}
    assert len(debian) > 50
    assert debian <= named
    # Nothing that another build would write differently.
    assert "serialNumber" not in sbom


def test_images_are_small_beside_their_base(stack: Stack) -> None:
    def megabytes(image: str) -> float:
        return int(stack.docker("image", "inspect", "-f", "{{.Size}}", image)) / 1e6

    for name in ("api", "worker"):
        added = megabytes(f"llmbench-{name}:deploy-test") - megabytes(BASE)
        stack.measured[f"llmbench-{name}"] = f"{added:.0f} MB on top of its base"
        assert added < 400


# Of the suite, what needs no server.
UNIT = ("benchmark", "network", "numbers", "program", "protocols", "providers", "webhooks", "test_settings.py")
# The same versions of the tools, installed for the same version of Python (`make test-pythons` makes the first).
TOOLS = [path for path in ROOT.glob(".venv*/lib/python3.13/site-packages") if path.is_dir()]


@pytest.mark.skipif(not TOOLS, reason="`make test-pythons` has not set up Python 3.13 here")
def test_the_images_own_python_and_packages_pass_the_unit_tests(stack: Stack) -> None:
    """The tools come last on the path, so that the image's packages are used wherever it has them."""
    start = "import sys; sys.path.append('/tools'); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    mounts = [f"-v={ROOT}:/src:ro", f"-v={TOOLS[0]}:/tools:ro", "-w=/src", "--read-only", "--tmpfs=/tmp:mode=1777"]
    paths = [f"tests/shared/{part}" for part in UNIT]
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning"]
    program = ["llmbench-worker:deploy-test", "python", "-c", start, *options, *paths]
    said = stack.docker(
        "run",
        "--rm",
        "--no-healthcheck",
        "--entrypoint=",
        "-e=HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis",
        *mounts,
        *program,
    )
    stack.measured["unit tests inside the worker's image"] = said.splitlines()[-1]


@pytest.mark.parametrize("service", ["api", "worker", "simulator"])
def test_containers_are_locked_down(stack: Stack, service: str) -> None:
    (container, *_) = stack.containers(service)
    assert stack.docker("exec", container, "id", "-u") == "10001"
    refused = stack.docker("exec", container, "sh", "-c", "touch /here 2>&1 || true")
    assert "Read-only file system" in refused
    (found,) = json.loads(stack.docker("inspect", container))
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in found["HostConfig"]["SecurityOpt"]
    assert found["HostConfig"]["Memory"] > 0
    assert found["HostConfig"]["PidsLimit"] > 0
    assert stack.docker("exec", container, "sh", "-c", "command -v gcc pip hatchling || true") in ("", "/usr/bin/pip")


def test_only_workers_know_provider_keys_and_only_the_api_is_published(stack: Stack) -> None:
    for service in ("api", "worker", "postgres", "redis", "simulator", "migrate"):
        ids = stack.compose("ps", "-a", "-q", service).split()
        text = stack.docker("inspect", *ids)
        assert (PROVIDER_KEY in text) == (service == "worker"), service
        published = [ports for item in json.loads(text) for ports in item["HostConfig"]["PortBindings"].values()]
        assert bool(published) == (service == "api"), service
    logs = stack.compose("logs")
    assert PROVIDER_KEY not in logs
    assert stack.environment["ENCRYPTION_KEY"] not in logs


def test_api_and_workers_measure_an_endpoint_of_this_host(stack: Stack, endpoints: Path) -> None:
    """The file names it; containers reach this host as `host.docker.internal`."""
    gateway = stack.docker("network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}")
    port = free_port()
    base_url = f"http://host.docker.internal:{port}"
    server = subprocess.Popen([sys.executable, "-m", "simulator", "--host", gateway, "--port", str(port)], cwd=ROOT)
    try:
        endpoints.write_text(f"- {{name: of-this-host, protocol: openai, base_url: '{base_url}/v1'}}\n")
        stack.compose("restart", "api", "worker")
        stack.until(lambda: stack.healthy("worker") == 3 and stack.healthy("api") == 1)
        known = {item["name"]: item for item in httpx2.get(f"{stack.url}/providers").json()["items"]}
        assert known["of-this-host"]["base_url"] == f"{base_url}/v1"
        document = stack.ended(stack.post(prompts=["x"] * 3, provider="of-this-host")["id"])
    finally:
        server.terminate()
        server.wait()
    assert (document["status"], document["endpoint"]["base_url"]) == ("completed", f"{base_url}/v1")
    assert {item["outcome"] for item in document["results"]} == {"succeeded"}


@pytest.mark.parametrize("service", ["api", "worker"])
def test_a_wrong_endpoint_is_an_error_that_names_the_file(stack: Stack, tmp_path: Path, service: str) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("- {name: x, protocol: gopher, base_url: 'http://h'}")
    for folder in (wrong.parent, wrong.parent.parent):
        folder.chmod(0o755)
    mount = f"{wrong}:/etc/llmbench/providers.yaml:ro"
    said = stack.docker_fails(
        "run", "--rm", "-e=PROVIDERS_FILE=/etc/llmbench/providers.yaml", "-v", mount, f"llmbench-{service}:deploy-test"
    )
    assert "PROVIDERS_FILE: /etc/llmbench/providers.yaml: protocol: unknown protocol" in said


def test_a_file_of_endpoints_that_is_not_there_is_an_error_that_names_it(stack: Stack) -> None:
    missing = Stack({**stack.environment, "PROVIDERS_FILE": "./nowhere.yaml"}, stack.url)
    said = missing.docker_fails("compose", "-p", PROJECT, "run", "--rm", "--no-deps", "api", "true")
    assert f"{ROOT}/nowhere.yaml" in said
    assert not (ROOT / "nowhere.yaml").exists()


def test_one_container_is_a_whole_service_and_keeps_its_data(stack: Stack) -> None:
    """As docs/install.md says it. In the network of the stack, where nothing else needs it."""
    name, port = f"{PROJECT}-one", free_port()
    one = Stack(stack.environment, f"http://127.0.0.1:{port}")
    command = ("llmbench", "up", "--host", "0.0.0.0", "--data-dir", "/data")
    options = (
        "-p",
        f"127.0.0.1:{port}:8000",
        "-e",
        "PUBLISHED_ON=127.0.0.1",
        "-v",
        f"{name}:/data",
        "--network",
        f"{PROJECT}_default",
    )
    try:
        for again in (False, True):
            one.docker("run", "-d", "--name", name, *options, "llmbench-api:deploy-test", *command)
            one.until(lambda: httpx2.get(f"{one.url}/ready").status_code == 200)
            if not again:
                assert one.ended(one.post(prompts=["x"])["id"])["status"] == "completed"
            assert one.read(1)["status"] == "completed"
            one.docker("stop", name)
            assert one.docker("inspect", "-f", "{{.State.ExitCode}}", name) == "0"
            one.docker("rm", name)
    finally:
        one.docker("rm", "-f", name, check=False)
        one.docker("volume", "rm", "-f", name, check=False)


def test_a_killed_worker_container_loses_nothing(stack: Stack) -> None:
    number = stack.post()["id"]
    stack.under_way(number)
    victim = stack.worker_of(number)
    begin = time.monotonic()
    stack.docker("kill", victim)
    document = stack.ended(number)
    stack.measured["docker kill of a worker to the end of its run"] = f"{time.monotonic() - begin:.0f} s"
    assert (document["status"], document["interrupted"]) == ("completed", True)
    assert len(document["results"]) == 40
    stack.up(3)


def test_rolling_the_workers_interrupts_and_loses_nothing(stack: Stack) -> None:
    number = stack.post(prompts=["x"] * 60)["id"]
    stack.under_way(number)
    stack.compose("up", "-d", "--force-recreate", "--no-deps", "--scale", "worker=3", "worker")
    document = stack.ended(number)
    assert document["status"] == "completed"
    assert {segment["ended_by"] for segment in document["segments"]} == {"released", "completed"}
    assert document["summary"]["possible_duplicates"]["requests"] == 0
    stack.up(3)


def test_a_webhook_leaves_the_stack(stack: Stack) -> None:
    secret = new_secret()
    name = f"{PROJECT}-hooks"
    listen = ("llmbench", "webhooks", "listen", "--host", "0.0.0.0", "--port", "9000", "--secret", secret, "--json")
    network = f"{PROJECT}_default"
    stack.docker("run", "-d", "--name", name, "--network", network, "llmbench-api:deploy-test", *listen)
    stack.until(lambda: "http://" in stack.docker("logs", name))
    number = stack.post(prompts=["x"], webhook_url=f"http://{name}:9000/", webhook_secret=secret)["id"]
    stack.ended(number)
    stack.until(lambda: stack.docker("logs", name).count('"type"') == 2, 30)
    types = [json.loads(line)["type"] for line in stack.docker("logs", name).splitlines() if line.startswith("{")]
    assert types == ["benchmark.started", "benchmark.completed"]


def test_no_command_line_shows_a_password(stack: Stack) -> None:
    """Every user of the host can read them."""
    for service in ("api", "worker", "postgres", "redis", "simulator", "migrate"):
        for container in stack.compose("ps", "-a", "-q", service).split():
            (found,) = json.loads(stack.docker("inspect", container))
            assert REDIS_PASSWORD not in json.dumps([found["Path"], found["Args"], found["Config"]["Healthcheck"]])
            shown = stack.docker("top", container, check=service != "migrate")
            assert REDIS_PASSWORD not in shown
    (redis,) = stack.containers("redis")
    assert "redis-server" in stack.docker("top", redis)


def test_redis_keeps_what_it_has_and_drops_nothing(stack: Stack) -> None:
    (container,) = stack.containers("redis")
    for name, value in (("appendonly", "yes"), ("maxmemory-policy", "noeviction")):
        assert stack.docker("exec", container, "redis-cli", "config", "get", name).split() == [name, value]
    assert "NOAUTH" in stack.docker("exec", "-e", "REDISCLI_AUTH=", container, "redis-cli", "ping", check=False)


def test_down_loses_nothing_and_up_shows_it_again(stack: Stack) -> None:
    done = stack.ended(stack.post(prompts=["x"] * 3)["id"])
    open_number = stack.post(prompts=["x"] * 60)["id"]
    stack.under_way(open_number)
    stack.compose("down")
    stack.up(3)
    assert stack.read(done["id"]) == done
    assert stack.ended(open_number)["status"] == "completed"
