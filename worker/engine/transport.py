"""The seam between measuring and sockets: what a transport must do, and the stamps that it must take.

An adapter hands over a body, the transport gives back stamped reads. Whoever owns the sockets (the SDK's
client today) implements `Transport`; the measurer and the adapters do not change.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from shared.results import RequestError


@dataclass(slots=True)
class Wire:
    """Stamps of one request, in monotonic nanoseconds, taken where the bytes pass."""

    started_ns: int
    connected_ns: int | None = None
    sent_ns: int | None = None
    last_read_ns: int | None = None
    new_connection: bool = False
    # Called once when the first byte goes out: deadlines count from there.
    on_sent: Callable[[], None] | None = None

    def sent(self, stamp_ns: int) -> None:
        """The transport is about to write; only the first write counts."""
        if self.sent_ns is None:
            self.sent_ns = stamp_ns
            if self.on_sent is not None:
                self.on_sent()

    @property
    def connect_ms(self) -> float | None:
        """DNS + TCP + TLS; None where the connection was reused or never came about."""
        if not self.new_connection or self.connected_ns is None:
            return None
        return (self.connected_ns - self.started_ns) / 1e6


class Read(NamedTuple):
    """Bytes of the response body, with the stamp of the read that brought them."""

    stamp_ns: int
    data: bytes


class Answer(Protocol):
    """A response whose head is there."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    def reads(self) -> AsyncIterator[Read]:
        """The body as it arrives. Raises TransportFailed where it breaks off."""
        ...


class Transport(Protocol):
    """Sends requests to one target."""

    def send(self, body: Mapping[str, Any], wire: Wire) -> AbstractAsyncContextManager[Answer]:
        """One request; a 2xx answer is entered, anything else raises TransportFailed. Leaving closes the stream."""
        ...

    async def close(self) -> None: ...


class TransportFailed(Exception):
    """No answer, an answer that is not 2xx, or a body that broke off. `kind` is the result's error kind.

    `stale`: a kept connection was closed by the server before a byte of an answer came.
    """

    def __init__(
        self, error: RequestError, *, timed_out: bool = False, broke_off: bool = False, stale: bool = False
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.timed_out = timed_out
        self.broke_off = broke_off
        self.stale = stale
