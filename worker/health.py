"""Whether this host's worker lives: `python -m worker.health`, for a container's health check.

The worker touches WORKER_HEALTH_FILE whenever the database has taken its heartbeat. Imports next to nothing: it is
called every few seconds.
"""

import sys
from pathlib import Path

from shared.clock import realtime_ns

# Without a path: where the image has it.
DEFAULT_FILE = "/tmp/worker-heartbeat"  # noqa: S108 - a container's own /tmp
# Heartbeats are a third of LEASE_S apart, ten seconds by default.
DEFAULT_OLDEST_S = 30.0


def problem(path: Path, oldest_s: float) -> str | None:
    """What is wrong; None where the file was touched within that time."""
    try:
        age_s = realtime_ns() / 1e9 - path.stat().st_mtime
    except OSError:
        return f"{path} is not there: the worker has not started, or its database has never answered"
    if age_s > oldest_s:
        return f"the last heartbeat was {age_s:.0f} s ago, more than {oldest_s:g} s"
    return None


def main() -> None:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_FILE)
    found = problem(path, float(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT_OLDEST_S)
    if found is not None:
        sys.exit(found)


if __name__ == "__main__":
    main()
