"""What the load asks of a slot: one place of the concurrency, with a connection of its own."""

from typing import Protocol

from worker.engine.child.outbox import Stream

# Kept connections that may turn out to be closed before a request is sent on a new one for sure.
MAX_RENEWALS = 3


class Slot(Protocol):
    """Sends one request after the other. Whatever a server does ends up in the stream; nothing is raised."""

    async def open(self) -> None:
        """Makes a connection ahead of the first request; what goes wrong is that request's to tell."""
        ...

    async def exchange(self, body: bytes, stream: Stream, due_ns: int) -> None:
        """One request to its end: `began`, `head`, reads, `end`."""
        ...

    def abort(self) -> None:
        """Closes the stream in flight; it ends as `closed`."""
        ...

    async def close(self) -> None: ...
