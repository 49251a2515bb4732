"""The compose stack with secrets as files, open to others: it needs a key, and nothing of Docker's shows a secret.

Needs a Docker engine with Compose v2, and the images of test_compose.py. `make deploy-test` runs both.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from shared.access.api_key import parse
from shared.webhooks.message import new_secret
from tests.deploy.test_compose import PROVIDER_KEY, ROOT, Stack
from tests.deploy.test_secrets import SECRET_NAMES
from tests.support.programs.ports import free_port

PROJECT = "llmbench-deploy-files"
PROMPT = "a canary in a prompt 0123456789"
IMAGES = ("llmbench-api:deploy-test", "llmbench-worker:deploy-test")
SERVICES = ("api", "worker", "postgres", "redis", "simulator", "migrate")

pytestmark = pytest.mark.timeout(1_800)


class Files(Stack):
    """A project of its own, of both files."""

    def compose(self, *arguments: str, check: bool = True) -> str:
        files = ("-f", "docker-compose.yml", "-f", "deploy/compose.secrets.yaml")
        return self.docker("compose", *files, "-p", PROJECT, "--profile", "demo", *arguments, check=check)

    def inspected(self) -> str:
        ids = [name for service in SERVICES for name in self.compose("ps", "-a", "-q", service).split()]
        return self.docker("inspect", *ids)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The daemon reads it, whoever that is."""
    for path in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(0o755)
    return tmp_path / "secrets"


@pytest.fixture
def files(folder: Path) -> Iterator[Files]:
    port = free_port()
    plain = {name: value for name, value in os.environ.items() if name not in SECRET_NAMES}
    environment = {
        **plain,
        "SECRETS_DIR": str(folder),
        "LLMBENCH_PORT": str(port),
        "LLMBENCH_BIND": "0.0.0.0",
        "LLMBENCH_VERSION": "deploy-test",
        "LOG_LEVEL": "DEBUG",
        # Nobody listens there.
        "ALLOWED_PRIVATE_CIDRS": "127.0.0.0/8",
    }
    for arguments in ((), ("ANTHROPIC_API_KEY",)):
        subprocess.run(
            [ROOT / "deploy/secrets", *arguments], env=environment, input=PROVIDER_KEY, text=True, check=True
        )
    running = Files(environment, f"http://127.0.0.1:{port}")
    running.compose("down", "-v", "--remove-orphans")
    try:
        yield running
    finally:
        running.compose("down", "-v", "--remove-orphans", check=False)


def test_open_to_others_it_needs_a_key_and_nothing_shows_a_secret(files: Files, folder: Path) -> None:
    files.compose("build", "--quiet")
    files.compose("up", "-d", "--scale", "worker=1")
    files.until(lambda: "llmbench keys bootstrap" in files.compose("logs", "api"))
    assert files.healthy("api") == 0
    printed = files.compose("run", "--rm", "--no-deps", "-T", "api", "llmbench", "keys", "bootstrap")
    (key,) = re.findall(r"lbk_\w+", printed)
    files.until(lambda: files.healthy("api") == 1 and files.healthy("worker") == 1)

    with httpx2.Client(base_url=files.url, timeout=60) as client:
        assert client.get("/benchmarks").status_code == 401
        assert client.get("/health").status_code == 200
        client.headers["authorization"] = f"Bearer {key}"
        webhook_secret = new_secret()
        body: dict[str, Any] = {"name": "x", "model": "sim", "prompts": [PROMPT], "webhook_secret": webhook_secret}
        answer = client.post("/benchmarks", json={**body, "webhook_url": "http://127.0.0.1:9/"})
        assert answer.status_code == 202, answer.text
        path = f"/benchmarks/{answer.json()['id']}"
        done = files.until(lambda: (found := client.get(path).json())["completed_at"] and found)
        assert done["status"] == "completed"

    secrets = {value.read_text().strip() for value in folder.glob("*/*")} | {parse(key).secret, webhook_secret}
    passwords = {re.split("[:@]", value)[2] for value in secrets if "://" in value}
    canaries = {*secrets, *passwords, PROVIDER_KEY}
    assert len(canaries) >= 9
    _nowhere(canaries | {PROMPT}, files.inspected(), "docker inspect")
    _nowhere(canaries | {PROMPT}, files.compose("logs"), "the logs")
    _nowhere(canaries | {PROMPT}, files.compose("config", "--no-interpolate"), "the compose files")
    for service in SERVICES:
        for container in files.compose("ps", "-q", service).split():
            _nowhere(canaries | {PROMPT}, files.docker("top", container), f"the command lines of {service}")
    dump = files.compose("exec", "-T", "postgres", "pg_dump", "-U", "llmbench", "llmbench")
    assert PROMPT in dump
    _nowhere(canaries, dump, "the dump of the database")
    (redis,) = files.containers("redis")
    patterns = "\n".join(canaries | {PROMPT})
    found = files.docker("exec", "-i", redis, "grep", "-rlF", "-f", "-", "/data", check=False, given=patterns)
    assert found == "", found
    for image in IMAGES:
        _nowhere(canaries, files.docker("image", "inspect", image), image)
        _nowhere(canaries, files.docker("history", "--no-trunc", "--format", "json", image), f"the history of {image}")
        run = ("run", "--rm", "-i", "--no-healthcheck", "--user=0", "--entrypoint=", image)
        search = ("grep", "-rlF", "-f", "-", "/opt", "/etc", "/root", "/tmp", "/data", "/srv", "/home", "/var")
        found = files.docker(*run, *search, check=False, given=patterns)
        assert found == "", found


def _nowhere(canaries: set[str], text: str, place: str) -> None:
    found = sorted(canary[:6] for canary in canaries if canary in text)
    assert found == [], f"{place} has secrets that begin with {found}"
