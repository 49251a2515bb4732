"""The messages between a worker and its measuring processes: length-prefixed MessagePack over a socket pair.

Targets and bodies go down, answers with their stamps go up. Stamps are CLOCK_MONOTONIC nanoseconds, one clock for all
processes of a machine.
"""

from collections.abc import Iterator
from typing import Any, Generic, Literal, TypeVar

import msgspec

from shared.network.tls import TlsOptions

_LENGTH_BYTES = 4


class SocketTarget(msgspec.Struct, array_like=True, frozen=True, tag="socket"):
    """Where to connect, and the head of every request up to its content length. Never log `head`: it has the key."""

    host: str
    port: int
    tls: bool
    head: bytes
    connect_s: float
    trust: TlsOptions = TlsOptions()


class SdkTarget(msgspec.Struct, array_like=True, frozen=True, tag="sdk"):
    """What the official SDK's client needs. `protocol` is a name of the registry.

    Never log `key`, `query` and `headers`, which may hold secrets. `key_header`: the header that carries the key; None:
    the SDK's own. `headers` replace those of the SDK.
    """

    protocol: str
    base_url: str
    key: str | None
    proxy: str | None
    connect_s: float
    key_header: str | None = None
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    trust: TlsOptions = TlsOptions()


# Down: worker to measuring process.


class Begin(msgspec.Struct, array_like=True, frozen=True, tag="begin"):
    """A run starts, on hold, with `slots` slots. The process ends itself if the worker is silent for `silence_s`."""

    target: SocketTarget | SdkTarget
    slots: int
    silence_s: float


class Request(msgspec.Struct, array_like=True, frozen=True):
    """A request whose body is ready to send. `first`: it goes ahead of all that wait.

    `offset_ns`: how long after the start of its phase it is due; None: as soon as there is room.
    """

    id: int
    body: bytes
    first: bool = False
    offset_ns: int | None = None


class Requests(msgspec.Struct, array_like=True, frozen=True, tag="requests"):
    items: list[Request]


class Hold(msgspec.Struct, array_like=True, frozen=True, tag="hold"):
    """Keep the requests that come, and send none before `Go`. Answered by `Opened`.

    `connections`: how many connections stand before that. The others are made when they are needed.
    """

    connections: int = 0


class Go(msgspec.Struct, array_like=True, frozen=True, tag="go"):
    """A phase starts: send each request, kept or new, when it is due and there is room.

    `room`: (ns after the start, requests that this process may have in flight from then on), rising in time.
    `send_for_ns`: nothing is sent later than this after the start. None: no such end.
    `max_prefill`: how many requests of this process may wait for the first byte of their answer's body, at least 1.
    None: any number.
    `drop_after_ns`: a request that could not be sent so long after it was due is `Late`. None: it is sent late.
    `think_ns`: how long a unit of room rests after its request has ended.
    """

    start_ns: int
    room: list[tuple[int, int]]
    send_for_ns: int | None = None
    max_prefill: int | None = None
    drop_after_ns: int | None = None
    think_ns: int = 0


class Recall(msgspec.Struct, array_like=True, frozen=True, tag="recall"):
    """Give back up to `most` requests that are due and have not been sent, those that were due first. Answered by
    `Returned`.

    None: give back all that have not been sent, due or not.
    """

    most: int | None = None


class Cease(msgspec.Struct, array_like=True, frozen=True, tag="cease"):
    """Send nothing more of this phase. Streams in flight go on."""


class Cut(msgspec.Struct, array_like=True, frozen=True, tag="cut"):
    """Send nothing more of this phase and close its streams."""


class Abort(msgspec.Struct, array_like=True, frozen=True, tag="abort"):
    """Close the stream of this request and report nothing more of it."""

    id: int


class Drain(msgspec.Struct, array_like=True, frozen=True, tag="drain"):
    """Send nothing more. Streams in flight go on."""


class Stop(msgspec.Struct, array_like=True, frozen=True, tag="stop"):
    """Send nothing more and close every stream."""


class Finish(msgspec.Struct, array_like=True, frozen=True, tag="finish"):
    """The run is over: close the connections and report."""


class Alive(msgspec.Struct, array_like=True, frozen=True, tag="alive"):
    """The worker is alive. Sent about once a second."""


Command = Begin | Requests | Hold | Go | Recall | Cease | Cut | Abort | Drain | Stop | Finish | Alive


# Up: measuring process to worker.


class Opened(msgspec.Struct, array_like=True, frozen=True, tag="opened"):
    """The connections that `Hold` asked for were tried: requests may be sent from now on."""


class Began(msgspec.Struct, array_like=True, frozen=True):
    """A request was sent, or could not be: `sent_ns` is None if no connection was made.

    `due_ns`: since when it could have been sent: it was due, and there was room. `renewed`: how many kept connections
    were found closed before.
    """

    due_ns: int
    started_ns: int
    connected_ns: int | None
    tls_ms: float | None
    sent_ns: int | None
    new_connection: bool
    renewed: int


class Head(msgspec.Struct, array_like=True, frozen=True):
    """Status and headers of an answer. Header names are in lower case."""

    status: int
    headers: dict[str, str]


EndKind = Literal["complete", "lost", "closed", "connect_error", "connect_timeout", "tls_error", "client_error"]


class End(msgspec.Struct, array_like=True, frozen=True):
    """How a request ended. `lost`: the connection broke off. `closed`: we closed it.

    `network_rtt_ns`: the round trip of its connection; None where the kernel does not tell.
    """

    kind: EndKind
    stamp_ns: int
    message: str = ""
    network_rtt_ns: int | None = None


class Slice(msgspec.Struct, array_like=True, frozen=True, tag="slice"):
    """What was seen of one request since its last slice.

    `body` is the answer's bytes without HTTP framing; `reads` are little-endian int64 triples, one for each read
    that brought body bytes: its stamp, its end within `body`, and how many µs before its stamp its first bytes may
    have arrived. `kernel`: the stamps are the kernel's.
    """

    id: int
    began: Began | None
    head: Head | None
    body: bytes
    reads: bytes
    kernel: bool
    end: End | None


class Watermark(msgspec.Struct, array_like=True, frozen=True, tag="watermark"):
    """Every byte that arrived before this stamp has been reported. `in_flight`: how many requests are in flight now."""

    stamp_ns: int
    in_flight: int = 0


class Dropped(msgspec.Struct, array_like=True, frozen=True, tag="dropped"):
    """Requests that will not be sent."""

    ids: list[int]


class Late(msgspec.Struct, array_like=True, frozen=True, tag="late"):
    """Requests that were not sent: at this stamp they had been due for longer than the phase allows, or it ended."""

    ids: list[int]
    at_ns: int


class Returned(msgspec.Struct, array_like=True, frozen=True, tag="returned"):
    """The requests that this process gives back: it has not sent them, and will not."""

    ids: list[int]


class Health(msgspec.Struct, array_like=True, frozen=True, tag="health"):
    """How undisturbed a measuring process was: the last report of a run.

    `cpu_share`: the largest share of a core that it used over a second; None if it did not run.
    """

    lag_histogram: dict[int, int]
    lag_max_ns: int
    cpu_share: float | None


Report = Opened | Slice | Watermark | Dropped | Late | Returned | Health

Message = TypeVar("Message")

encode = msgspec.msgpack.Encoder().encode


def frame(message: Command | Report) -> bytes:
    """The bytes of a message, with its length before it."""
    data = encode(message)
    return len(data).to_bytes(_LENGTH_BYTES, "little") + data


class Frames(Generic[Message]):
    """Reads whole messages from bytes that come in pieces of any size."""

    def __init__(self, message: Any) -> None:
        """`message`: the union of the types that may come."""
        self._decode = msgspec.msgpack.Decoder(message).decode
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        self._buffer += data
        if not self._has_frame():
            return
        whole, start = memoryview(bytes(self._buffer)), 0
        self._buffer.clear()
        try:
            while len(whole) - start >= _LENGTH_BYTES:
                begin = start + _LENGTH_BYTES
                end = begin + int.from_bytes(whole[start:begin], "little")
                if end > len(whole):
                    break
                start = end
                yield self._decode(whole[begin:end])
        finally:
            self._buffer[:0] = whole[start:]

    def _has_frame(self) -> bool:
        size = len(self._buffer) - _LENGTH_BYTES
        return size >= 0 and size >= int.from_bytes(self._buffer[:_LENGTH_BYTES], "little")
