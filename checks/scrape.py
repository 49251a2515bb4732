"""A real API and a real worker that Prometheus can read, for `checks.monitoring`."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml

from cli.stack.ports import free_port
from cli.waiting import Deadline, pause
from shared.settings import process_environment

LONGEST_S = 90
BENCHMARK = {"name": "scrape", "model": "sim-ttft20-gap2-n4", "prompts": ["x"]}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Targets:
    """Ports of 127.0.0.1 that answer GET /metrics."""

    api: int
    worker: int

    def scrapes(self) -> dict[str, bytes]:
        return {name: _get(f"http://127.0.0.1:{port}/metrics").content for name, port in self.by_name().items()}

    def by_name(self) -> dict[str, int]:
        return {"API": self.api, "worker": self.worker}


@contextmanager
def running_targets(folder: Path) -> Iterator[Targets]:
    """`llmbench up` in a folder of its own. It has run a benchmark, so that metrics with labels have a value."""
    targets = Targets(free_port(), free_port())
    environment = process_environment(WORKER_METRICS_PORT=str(targets.worker))
    command = [sys.executable, "-m", "cli.main", "up", "--port", str(targets.api), "--data-dir", str(folder)]
    with _running(command, folder, environment):
        url = f"http://127.0.0.1:{targets.api}"
        _until(lambda: _get(f"{url}/ready").status_code == httpx2.codes.OK, "llmbench up")
        answer = httpx2.post(f"{url}/benchmarks", json=BENCHMARK, headers={"Prefer": "wait=30"}, timeout=60)
        if answer.json().get("status") != "completed":
            raise SystemExit(f"the benchmark before the scrape did not complete: {answer.text}")
        yield targets


def problems_of_prometheus(prometheus: str, rules: Path, targets: Targets, folder: Path) -> Sequence[str]:
    """Starts a Prometheus with the rules. What it says is wrong once it has read both targets and run each rule."""
    port = free_port()
    config = folder / "prometheus.yaml"
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{number}"]}]}
        for name, number in targets.by_name().items()
    ]
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config.write_text(yaml.safe_dump({"global": every, "rule_files": [str(rules)], "scrape_configs": jobs}))
    command = [
        prometheus,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    url = f"http://127.0.0.1:{port}/api/v1"
    with _running(command, folder, process_environment()):
        # Its API answers with a page of text before that.
        _until(lambda: _get(f"http://127.0.0.1:{port}/-/ready").status_code == httpx2.codes.OK, "prometheus")
        _until(lambda: _settled(url), "prometheus")
        targets_found, rules_found = _targets(url), _rules(url)
    return [
        *(f"{item['scrapePool']}: {item['lastError']}" for item in targets_found if item["health"] != "up"),
        *(f"{item['name']}: {item.get('lastError')}" for item in rules_found if item["health"] != "ok"),
    ]


def _settled(url: str) -> bool:
    found, rules = _targets(url), _rules(url)
    return bool(found and rules) and all(item["health"] != "unknown" for item in [*found, *rules])


def _targets(url: str) -> list[Json]:
    return list(_get(f"{url}/targets").json()["data"]["activeTargets"])


def _rules(url: str) -> list[Json]:
    return [rule for group in _get(f"{url}/rules").json()["data"]["groups"] for rule in group["rules"]]


def _get(url: str) -> httpx2.Response:
    return httpx2.get(url, timeout=10)


@contextmanager
def _running(command: Sequence[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Its output is shown if the block fails."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        program = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield
        except BaseException:
            sys.stderr.write(log.read_text(errors="replace"))
            raise
        finally:
            program.terminate()
            program.wait()


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = Deadline(LONGEST_S)
    while True:
        try:
            if holds():
                return
        except httpx2.TransportError:
            pass
        if deadline.passed:
            raise SystemExit(f"{what}: not ready within {LONGEST_S} s")
        pause(0.1)
