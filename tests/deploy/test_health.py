"""The images' health check, which is a shell script, so that no Python starts beside a measurement."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.programs.ports import free_port
from worker.health import problem

HEALTH = Path(__file__).parents[2] / "deploy/health"


def check(*arguments: Any, **environment: str) -> tuple[int, str]:
    command = [HEALTH, *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@contextmanager
def server(status: int) -> Iterator[int]:
    """The port of a server that answers GET /health."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        try:
            yield running.server_port
        finally:
            running.shutdown()
            thread.join()


def test_a_server_that_answers_is_healthy() -> None:
    with server(200) as port:
        assert check("http", port) == (0, "")


def test_an_error_and_no_server_are_not() -> None:
    with server(503) as port:
        assert check("http", port) == (1, "GET /health answered with status 503\n")
    code, said = check("http", free_port())
    assert (code, "Connection refused" in said) == (1, True)


def age(path: Path, seconds: float) -> None:
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


@pytest.mark.parametrize(
    ("written", "age_s", "healthy"), [("30.0", 0, True), ("30.0", 33, False), ("2.5", 5, False), ("", 99, True)]
)
def test_a_heartbeat_may_be_as_old_as_the_lease_that_it_names(
    tmp_path: Path, written: str, age_s: float, healthy: bool
) -> None:
    """As `python -m worker.health` judges it too. An empty file is just being written."""
    path = tmp_path / "heartbeat"
    path.write_text(written)
    age(path, age_s)
    code, said = check("heartbeat", path)
    assert (code == 0, problem(path) is None) == (healthy, healthy)
    assert healthy or f"more than LEASE_S = {written}" in said


def test_without_a_heartbeat_it_names_the_file(tmp_path: Path) -> None:
    code, said = check("heartbeat", WORKER_HEALTH_FILE=str(tmp_path / "none"))
    assert code == 1
    assert said.startswith(f"{tmp_path}/none does not exist")


def test_without_arguments_it_shows_its_use() -> None:
    code, said = check()
    assert (code, "llmbench-health http PORT" in said) == (2, True)
