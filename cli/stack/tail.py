"""Shows the logs of child processes while they grow, for `up --verbose`."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol


class Logged(Protocol):
    """A child process with a log file."""

    name: str
    log: Path


class Tail:
    """Writes new whole lines of the logs to stderr, each with the child's name in front."""

    def __init__(self) -> None:
        self._seen: dict[Path, int] = {}

    def show(self, children: Iterable[Logged]) -> None:
        for child in children:
            for line in self._new(child.log):
                sys.stderr.write(f"{child.name:<9} | {line}\n")
        sys.stderr.flush()

    def _new(self, log: Path) -> list[str]:
        with suppress(OSError), log.open("rb") as stream:
            stream.seek(self._seen.get(log, 0))
            added = stream.read()
            whole = added[: added.rfind(b"\n") + 1]
            self._seen[log] = self._seen.get(log, 0) + len(whole)
            return whole.decode("utf-8", "replace").splitlines()
        return []
