"""The API as a process of its own, as in production, over a given database."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from cli.stack import environment
from cli.stack.programs import UVICORN
from shared.webhooks.secret_box import new_key
from tests.support.programs.ports import free_port
from tests.support.servers.valkey import redis_server
from tests.support.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Api:
    """`url`: where it answers."""

    url: str
    process: psutil.Process

    @property
    def resident_mb(self) -> float:
        resident: int = self.process.memory_info().rss
        return resident / 1e6

    @property
    def processor_s(self) -> float:
        """Processor time since its start."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def api(database_url: str, folder: Path) -> Iterator[Api]:
    """Ready, and ended afterwards. Its log is in the folder."""
    port = free_port()
    command = [sys.executable, "-P", "-m", *UVICORN, "--host", "127.0.0.1", "--port", str(port)]
    with redis_server() as redis:
        settings = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis.url,
            "SIMULATOR_URL": "http://127.0.0.1:9",
            "ENCRYPTION_KEY": new_key(),
        }
        clean = environment.parts(isolated=True).environment
        with (folder / "api.log").open("w") as log:
            process = subprocess.Popen(command, env={**clean, **settings}, stdout=log, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: process.poll() is not None or _answers(url))
            if process.poll() is not None:
                raise SystemExit((folder / "api.log").read_text()[-2_000:])
            yield Api(url, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health").status_code == 200
    except httpx2.TransportError:
        return False
