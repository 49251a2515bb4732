"""Reads PROVIDERS_FILE again when it changes. The API and each worker have one of these."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from shared.providers.endpoints import EndpointRegistry
from shared.providers.files import read_endpoints

log = structlog.get_logger(__name__)

# How often the file's state is read. An editor's change is taken when two readings in a row are equal.
POLL_S = 1.0

# Times of the last write and of the last change of anything, size, device and inode. None: there is no such file.
State = tuple[int, int, int, int, int] | None


class ProvidersFile:
    """The file and the endpoints that came from it. A file that is wrong keeps the endpoints that it had before.

    It polls, because notices of the kernel do not come from network file systems, nor to a container when the host
    changes a mounted file.
    """

    def __init__(
        self,
        path: Path | None,
        endpoints: EndpointRegistry,
        on_change: Callable[[], None],
        *,
        poll_s: float = POLL_S,
    ) -> None:
        """`on_change` is called right after the registry has changed, in the same step of the event loop."""
        self._path = path
        self._endpoints = endpoints
        self._on_change = on_change
        self._poll_s = poll_s
        self._seen: State = None
        # What `read_endpoints` was last given. The file may have changed since the program read it at its start.
        self._taken: State = None
        # What is wrong with the file now, in words that name it; None if nothing is.
        self.problem: str | None = None

    @property
    def described(self) -> str:
        """What became of the file, in words."""
        if self._path is None:
            return "PROVIDERS_FILE is not set"
        if self.problem is not None:
            return f"the endpoints from before its last change stay: {self.problem}"
        return f"{self._path} is in use"

    async def watch(self) -> None:
        """Looks at the file until it is cancelled. Returns at once if there is none."""
        while self._path is not None:
            await self.look(self._path)
            await asyncio.sleep(self._poll_s)

    async def look(self, path: Path) -> None:
        """Takes the file if it has changed, and has not changed again since the last look."""
        # In threads, because a network file system may take its time.
        state = await asyncio.to_thread(_state, path)
        settled = state == self._seen
        self._seen = state
        if not settled or (state is not None and state == self._taken):
            return
        try:
            found = await asyncio.to_thread(read_endpoints, path)
        except (ValueError, RecursionError) as exc:
            self._taken = state
            self._wrong(str(exc) if isinstance(exc, ValueError) else f"{path}: {type(exc).__name__}")
            return
        if await asyncio.to_thread(_state, path) != state:
            # It was written while it was read.
            return
        self._taken = state
        changes = self._endpoints.replace_file(found)
        if self.problem is not None or changes:
            log.info("providers_file_taken", file=str(path), **{name: getattr(changes, name) for name in _CHANGES})
        self.problem = None
        if changes:
            self._on_change()

    def _wrong(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("providers_file_wrong", problem=problem, action="the endpoints from before stay")
        self.problem = problem


_CHANGES = ("added", "changed", "removed")


def _state(path: Path) -> State:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_dev, found.st_ino
