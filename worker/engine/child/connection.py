"""One HTTP/1.1 connection: a request out, its response in, read by read as they were stamped."""

import asyncio
import socket
import ssl
from collections.abc import Callable

from shared.clock import monotonic_ns
from shared.network import kernel_stamps
from shared.network.tls import TlsSession
from worker.engine.child.http_response import HttpResponse, NotHttp
from worker.engine.child.outbox import Stream
from worker.engine.messages import End


class Connection:
    """Used request after request. `arrivals` reads and stamps; this makes responses of what it hands over."""

    def __init__(
        self,
        sock: socket.socket,
        tls: TlsSession | None,
        *,
        started_ns: int,
        connected_ns: int,
        tls_ms: float | None,
        on_close: Callable[["Connection"], None],
    ) -> None:
        self.sock = sock
        self.started_ns = started_ns
        self.connected_ns = connected_ns
        self.tls_ms = tls_ms
        # Whether a request has gone over it.
        self.used = False
        # Until its first read: since when bytes may have lain there.
        self.unread_since_ns: int | None = started_ns
        self.last_read_ns = 0
        # Reads to be parsed: (stamp, µs that its first byte may have waited, bytes). No bytes: the server's end.
        self.arrived: list[tuple[int, int, bytes]] = []
        # What the socket said when it broke; it counts once all that arrived before is parsed.
        self.broken: OSError | None = None
        # Whether a byte came in answer to the latest request.
        self.answered = False
        # Whether all reads of the latest response had the kernel's own stamp.
        self.stamped_by_kernel = True
        self.closed = False
        self._tls = tls
        self._on_close = on_close
        self._stream: Stream | None = None
        self._done: asyncio.Future[End] | None = None
        self._response = HttpResponse()
        # What found no room in the socket, and the task that writes it.
        self._rest = bytearray()
        self._sending: asyncio.Task[None] | None = None

    def send(self, request: bytes, stream: Stream) -> int:
        """Sends a request, and returns when its first byte went out. The stream is told what comes back."""
        self._response.release()
        self._response = HttpResponse()
        self._stream = stream
        self._done = asyncio.get_running_loop().create_future()
        self.stamped_by_kernel = True
        self.answered = False
        self.used = True
        data = request if self._tls is None else self._tls.encrypt(request)
        sent_ns = monotonic_ns()
        try:
            self._write(data)
        except OSError as exc:
            self._fail(exc)
            return sent_ns
        # Between our look at the clock and the kernel's work the process may have had to wait for a CPU.
        departed_ns = kernel_stamps.departure_ns(self.sock)
        if departed_ns is not None and sent_ns <= departed_ns <= monotonic_ns():
            sent_ns = departed_ns
        return sent_ns

    async def end(self) -> End:
        """How the response ended; by then the connection has closed itself if it cannot be used again."""
        if self._done is None:
            raise RuntimeError("nothing was sent")
        return await self._done

    def parse(self) -> None:
        """Makes events of what has arrived."""
        arrived, self.arrived = self.arrived, []
        if self._stream is None:
            return self._take_unasked(arrived)
        for stamp_ns, late_us, data in arrived:
            end = self._take(self._stream, stamp_ns, late_us, data)
            if end is not None:
                return self._end(end)
        if self.broken is not None:
            return self._fail(self.broken)
        return None

    def close(self) -> None:
        """At once. A stream in flight ends as `closed`."""
        if not self.closed:
            self.closed = True
            self._on_close(self)
            self.sock.close()
            self._response.release()
        if self._sending is not None:
            self._sending.cancel()
        if self._done is not None and not self._done.done():
            self._done.set_result(End("closed", monotonic_ns()))

    def _take(self, stream: Stream, stamp_ns: int, late_us: int, data: bytes) -> End | None:
        """One read; the response's end, if it was that."""
        response, ended, head_known = self._response, False, self._response.head_complete
        try:
            data, ended = self._plain(data)
            if data:
                self.answered = True
                response.feed(data)
        except (ssl.SSLError, OSError, NotHttp) as exc:
            return End("lost", stamp_ns, _words(exc))
        if response.head_complete and not head_known:
            stream.head(response.status, response.headers)
        stream.kernel = self.stamped_by_kernel
        if parts := response.parts:
            stream.read(stamp_ns, late_us, parts[0] if len(parts) == 1 else b"".join(parts))
            parts.clear()
        if response.complete or (ended and response.ends_with_connection):
            return End("complete", stamp_ns)
        if ended:
            where = "inside the answer" if response.head_complete else "without an answer"
            return End("lost", stamp_ns, f"the server closed the connection {where}")
        return None

    def _take_unasked(self, arrived: list[tuple[int, int, bytes]]) -> None:
        """Between requests only TLS has something to say, its session tickets; all else means that it is over."""
        try:
            over = [data or ended for _, _, data in arrived for data, ended in (self._plain(data),)]
        except (ssl.SSLError, OSError):
            return self.close()
        if self.broken is not None or any(over):
            self.close()
        return None

    def _plain(self, data: bytes) -> tuple[bytes, bool]:
        """A read without its TLS, and whether nothing comes after it."""
        if self._tls is None or not data:
            return data, not data
        data, ended = self._tls.decrypt(data)
        if reply := self._tls.outgoing():
            self._write(reply)
        return data, ended

    def _end(self, end: End) -> None:
        self._stream = None
        self._response.release()
        if self._done is not None and not self._done.done():
            self._done.set_result(end)
        if end.kind != "complete" or not self._response.keeps_alive or self.broken is not None:
            self.close()

    def _fail(self, exc: Exception) -> None:
        self._end(End("lost", monotonic_ns(), _words(exc)))

    def _write(self, data: bytes) -> None:
        """At once as far as there is room, in order. Raises OSError."""
        if self._sending is not None and not self._sending.done():
            self._rest += data
            return
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            # A large prompt on a full socket: the rest follows as there is room.
            self._rest += memoryview(data)[sent:]
            self._sending = asyncio.get_running_loop().create_task(self._write_rest())

    async def _write_rest(self) -> None:
        try:
            while self._rest:
                data = bytes(self._rest)
                self._rest.clear()
                await asyncio.get_running_loop().sock_sendall(self.sock, data)
        except OSError as exc:
            # The server may have answered before it hung up: what it said is read first.
            self.broken = self.broken or exc.with_traceback(None)


def _words(exc: Exception) -> str:
    if isinstance(exc, NotHttp):
        return f"the answer is not HTTP/1.1: {exc}"
    return f"{type(exc).__name__}: {exc}"
