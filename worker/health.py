"""Says whether this host's worker is alive: `python -m worker.health`, for a container's health check.

The worker writes its LEASE_S to WORKER_HEALTH_FILE after each heartbeat that the database accepted, three times in
LEASE_S. This module imports very little, because it runs every few seconds.
"""

import sys
from pathlib import Path

from shared.clock import realtime_ns

# The path in the container image, used if no path is given.
DEFAULT_FILE = "/tmp/worker-heartbeat"  # noqa: S108 - a container's own /tmp


def problem(path: Path) -> str | None:
    """What is wrong; None if the file is no older than the LEASE_S (seconds) written in it."""
    try:
        age_s = realtime_ns() / 1e9 - path.stat().st_mtime
        lease_s = float(path.read_text() or "inf")  # empty while it is being written
    except OSError:
        return f"{path} does not exist: the worker has not started, or its database has never answered"
    if age_s > lease_s:
        return f"the last heartbeat was {age_s:.0f} s ago, more than LEASE_S = {lease_s:g}"
    return None


def main() -> None:
    found = problem(Path(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_FILE))
    if found is not None:
        sys.exit(found)


if __name__ == "__main__":
    main()
