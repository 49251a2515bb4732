"""Whether this host's worker lives: `python -m worker.health`, for a container's health check.

The worker writes its LEASE_S to WORKER_HEALTH_FILE whenever the database has taken its heartbeat, three times in that
time. Imports next to nothing: it is
called every few seconds.
"""

import sys
from pathlib import Path

from shared.clock import realtime_ns

# Without a path: where the image has it.
DEFAULT_FILE = "/tmp/worker-heartbeat"  # noqa: S108 - a container's own /tmp


def problem(path: Path) -> str | None:
    """What is wrong; None where the file was written within the lease that stands in it."""
    try:
        age_s = realtime_ns() / 1e9 - path.stat().st_mtime
        lease_s = float(path.read_text() or "inf")  # it is just being written
    except OSError:
        return f"{path} is not there: the worker has not started, or its database has never answered"
    if age_s > lease_s:
        return f"the last heartbeat was {age_s:.0f} s ago, more than LEASE_S = {lease_s:g}"
    return None


def main() -> None:
    found = problem(Path(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_FILE))
    if found is not None:
        sys.exit(found)


if __name__ == "__main__":
    main()
