"""Ports for servers that want to be told one: nobody else takes them while this process runs."""

import fcntl
import random
import socket
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

# The kernel gives these to outgoing connections and to servers that name no port.
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Held until the process ends: two suites at the same time choose different ports.
_locks: list[IO[str]] = []


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens, reserved for this process: a server may stop and come back to it."""
    folder = Path(tempfile.gettempdir()) / "llmbench-test-ports"
    folder.mkdir(exist_ok=True)
    while True:
        port = random.choice(_candidates())
        if _reserve(port, folder):
            return port


@cache
def _candidates() -> list[int]:
    low, high = 32_768, 60_999
    if _EPHEMERAL.exists():
        low, high = (int(word) for word in _EPHEMERAL.read_text().split())
    return [port for port in range(10_000, 65_536) if not low <= port <= high]


def _reserve(port: int, folder: Path) -> bool:
    lock = (folder / str(port)).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        lock.close()
        return False
    _locks.append(lock)
    return True
