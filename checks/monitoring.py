"""Prometheus' own verdict on our rules and on what API and worker tell it: `python -m checks.monitoring`.

`promtool` comes with Prometheus (Debian: `apt install prometheus`; `.ci/tools` unpacks it into .venv/tools).
"""

import shutil
import subprocess
import sys
from pathlib import Path

from prometheus_client import generate_latest

from api.monitoring import ApiMonitor
from checks.report import not_run
from shared.db.database import Database
from shared.db.deliveries import Attempt
from shared.db.monitoring import Backlog
from worker.monitoring import WorkerMonitor

ROOT = Path(__file__).parents[1]
FETCHED = ROOT / ".venv/tools/usr/bin"


def main() -> int:
    promtool = shutil.which("promtool") or shutil.which("promtool", path=str(FETCHED))
    if promtool is None:
        not_run("promtool", "it is not installed (Debian: apt install prometheus, or .ci/tools)")
        return 0
    codes = [_run([promtool, "check", "rules", str(ROOT / "deploy/monitoring/alerts.yaml")])]
    for name, scrape in scrapes().items():
        code = _run([promtool, "check", "metrics"], scrape)
        sys.stdout.write(f"promtool: metrics of the {name}: {'good' if code == 0 else 'refused'}\n")
        codes.append(code)
    return max(codes)


def scrapes() -> dict[str, bytes]:
    """What Prometheus reads from each program, with a value for the metrics that have labels."""
    database = Database("sqlite:///unused.db")
    api, worker = ApiMonitor(database), WorkerMonitor(database)
    api.observe({"method": "GET"}, 200, 0.01)
    worker.benchmark_ended("completed")
    worker.lease_lost()
    worker.webhook_attempted(Attempt(succeeded=True, duration_ms=12.5))
    return {
        "API": api.text(Backlog(pending=1, running=1, oldest_pending_s=3.5, workers_alive=2, deliveries_due=0))[0],
        "worker": generate_latest(worker.registry),
    }


def _run(command: list[str], text: bytes | None = None) -> int:
    return subprocess.run(command, input=text, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
