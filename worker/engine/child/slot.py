"""What the load needs of a slot: a connection that carries one request after the other."""

from typing import Protocol

from worker.engine.child.outbox import Stream

# A server that closes an idle connection does not know yet that a request is under way. The request then ends within
# two round trips, and this much longer where the server or this host is busy. A server that closes the connection later
# has worked on the request.
RACE_NS = 100_000_000


def lost_in_race(*, kept: bool, answered: bool, sent_ns: int, lost_ns: int, round_trip_ns: int) -> bool:
    """Whether the server had closed a kept connection before the request reached it, so that it may be sent again.

    `answered`: a byte came back. `sent_ns`, `lost_ns`: when the first byte went out, and when the end arrived.
    """
    return kept and not answered and lost_ns - sent_ns <= 2 * round_trip_ns + RACE_NS


class Slot(Protocol):
    """Sends one request after the other. Errors of the server or the network go into the stream and are not raised."""

    @property
    def connected(self) -> bool:
        """Whether it has a connection that can carry the next request."""
        ...

    async def open(self) -> None:
        """Makes a connection ahead of the next request, if it has none. If that fails, the request reports it."""
        ...

    async def exchange(self, body: bytes, stream: Stream, due_ns: int) -> None:
        """Sends one request and calls `began`, `head`, `read` and `end` of its stream."""
        ...

    def abort(self) -> None:
        """Closes the stream in flight, which ends as `closed`."""
        ...

    async def close(self) -> None: ...
