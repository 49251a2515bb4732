"""A container's health check sees whether this worker's heartbeats reach the database."""

import os
import subprocess
import sys
from pathlib import Path

from shared.db.connection.database import Database
from shared.providers.key_ring import KeyRing
from tests.support.service import make_settings, running_worker
from worker.engine.children import Children
from worker.health import problem


def check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "worker.health", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_a_running_worker_is_healthy_and_a_silent_one_is_not(
    database_url: str, database: Database, redis_url: str, tmp_path: Path, children: Children
) -> None:
    path = tmp_path / "heartbeat"
    assert "has not started" in check(path).stderr
    async with running_worker(
        make_settings(database_url, redis_url, None, worker_health_file=path), KeyRing({}), children
    ):
        assert check(path).returncode == 0
    os.utime(path, (0, 0))
    assert "the last heartbeat was" in str(problem(path))
    assert check(path).returncode == 1


def test_the_check_imports_next_to_nothing() -> None:
    """It runs every few seconds beside the measuring."""
    code = "import sys, worker.health; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "pydantic", "arq", "structlog"} & set(loaded)
