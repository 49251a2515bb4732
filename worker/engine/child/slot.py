"""What the load needs of a slot: a connection that carries one request after the other."""

from typing import Protocol

from worker.engine.child.outbox import Stream

# After this many kept connections that were found closed, the request goes out on a new one.
MAX_RENEWALS = 3


class Slot(Protocol):
    """Sends one request after the other. Errors of the server or the network go into the stream and are not raised."""

    async def open(self) -> None:
        """Makes a connection ahead of the first request. If that fails, the first request reports it."""
        ...

    async def exchange(self, body: bytes, stream: Stream, due_ns: int) -> None:
        """Sends one request and calls `began`, `head`, `read` and `end` of its stream."""
        ...

    def abort(self) -> None:
        """Closes the stream in flight, which ends as `closed`."""
        ...

    async def close(self) -> None: ...
