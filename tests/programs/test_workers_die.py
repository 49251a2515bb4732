"""Real API and worker processes, ended with real signals in the middle of a run."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli.stack import EmbeddedStack
from tests.support.programs.deployment import SimulatorProcess, simulator_process
from tests.support.programs.ports import free_port
from tests.support.waiting import PATIENCE_S, wait_until

PROMPTS = 30
CONCURRENCY = 2
# Nearly five seconds: long enough for signals that come after the first results, however busy the machine is.
SPEC = {"model": "sim-ttft300-gap10-n4", "prompts": ["x"] * PROMPTS, "concurrency": CONCURRENCY}


@dataclass
class Running:
    """A stack of real processes and what it talks to."""

    client: httpx2.Client
    simulator: SimulatorProcess

    def submit(self, **spec: Any) -> str:
        response = self.client.post("/benchmarks", json={"name": "e2e", **spec})
        assert response.status_code == 202, response.text
        location: str = response.headers["location"]
        return location

    def until(self, url: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The benchmark, once that is true of it."""

        def look() -> dict[str, Any] | None:
            document: dict[str, Any] = self.client.get(url).json()
            return document if holds(document) else None

        return wait_until(look) or {}

    def worker_at(self, url: str) -> int:
        """The process id of the worker that runs the benchmark."""
        pids = {worker["id"]: worker["pid"] for worker in self.client.get("/workers").json()["items"]}
        pid: int = pids[self.client.get(url).json()["segments"][-1]["worker_id"]]
        return pid


@pytest.fixture
def running(database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with simulator_process(tmp_path) as simulator:
        for name, value in (
            ("DATABASE_URL", database_url),
            ("REDIS_URL", redis_url),
            ("SIMULATOR_URL", simulator.url),
            # Long enough for a busy machine to prolong it in time.
            ("LEASE_S", "4"),
            ("SWEEP_S", "0.5"),
            # So that the two runs go to two workers.
            ("WORKER_MAX_BENCHMARKS", "1"),
        ):
            monkeypatch.setenv(name, value)
        with (
            EmbeddedStack(port=free_port(), workers=3, log_dir=tmp_path, start_s=PATIENCE_S) as stack,
            httpx2.Client(base_url=stack.url, timeout=PATIENCE_S) as client,
        ):
            yield Running(client, simulator)


# `make chaos` does more of this, on both databases.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_runs_outlive_a_killed_and_a_stopped_worker(running: Running) -> None:
    """Three workers, two runs at once; the worker of one is killed, that of the other is asked to stop."""
    killed, stopped = running.submit(**SPEC), running.submit(**SPEC)
    for url in (killed, stopped):
        running.until(url, lambda document: document["progress"]["done"] >= 2)
    victims = running.worker_at(killed), running.worker_at(stopped)
    assert victims[0] != victims[1]
    os.kill(victims[0], signal.SIGKILL)
    os.kill(victims[1], signal.SIGTERM)
    possible_duplicates = 0
    for url in (killed, stopped):
        document = running.until(url, lambda document: document["status"] == "completed")
        possible_duplicates += document["summary"]["possible_duplicates"]["requests"]
        assert sorted(item["prompt_index"] for item in document["results"]) == list(range(PROMPTS))
        assert {item["outcome"] for item in document["results"]} == {"succeeded"}
        assert document["interrupted"] is True
        assert document["progress"]["done"] == PROMPTS
    # What was in flight at the kill is sent again, and what had ended and was not stored yet; what was stored, or
    # ended after SIGTERM, is not.
    outcomes = Counter(request["outcome"] for request in running.simulator.requests(2 * PROMPTS))
    assert set(outcomes) <= {"succeeded", "cancelled"}
    assert outcomes["cancelled"] <= CONCURRENCY
    assert outcomes["succeeded"] >= 2 * PROMPTS
    assert outcomes.total() <= 2 * PROMPTS + possible_duplicates
