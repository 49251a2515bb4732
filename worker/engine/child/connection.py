"""One HTTP/1.1 connection: sends a request and parses the stamped reads of its response."""

import asyncio
import socket
from collections.abc import Callable

from shared.clock import monotonic_ns
from shared.network import kernel_stamps
from shared.network.round_trip import smallest_round_trip_ns
from shared.network.tls import TlsSession
from worker.engine.child.http_response import HttpResponse, NotHttp
from worker.engine.child.losses import words_of_loss, words_of_place
from worker.engine.child.outbox import Stream
from worker.engine.messages import End


class Connection:
    """Carries one request after the other. The socket reader reads and stamps; this class parses its reads."""

    def __init__(
        self,
        sock: socket.socket,
        tls: TlsSession | None,
        *,
        started_ns: int,
        connected_ns: int,
        tls_ms: float | None,
        round_trip_ns: int,
        on_close: Callable[["Connection"], None],
    ) -> None:
        self.sock = sock
        self.started_ns = started_ns
        self.connected_ns = connected_ns
        self.tls_ms = tls_ms
        self.round_trip_ns = round_trip_ns
        self._connect_rtt_ns = smallest_round_trip_ns(sock)
        # Whether a request has gone over it.
        self.used = False
        # Since when bytes may have been waiting; None after the first read.
        self.unread_since_ns: int | None = started_ns
        self.last_read_ns = 0
        # Reads to be parsed: (stamp, µs that the first byte may have waited, bytes). Empty bytes: the server closed.
        self.arrived: list[tuple[int, int, bytes]] = []
        # The error that broke the socket, and its stamp. It counts once everything that arrived before it is parsed.
        self.broken: OSError | None = None
        self.broken_ns = 0
        # Whether a byte has come in answer to the latest request.
        self.answered = False
        # Whether all reads of the latest response had the kernel's own stamp.
        self.stamped_by_kernel = True
        self.closed = False
        self._tls = tls
        self._on_close = on_close
        self._stream: Stream | None = None
        self._done: asyncio.Future[End] | None = None
        self._response = HttpResponse()
        # Bytes that the socket could not take yet, and the task that writes them.
        self._rest = bytearray()
        self._sending: asyncio.Task[None] | None = None

    def network_rtt_ns(self) -> int | None:
        """The smallest round trip of the last minutes; of a connection that is closed by now, that of its connect."""
        return smallest_round_trip_ns(self.sock) or self._connect_rtt_ns

    def send(self, request: bytes, stream: Stream) -> int:
        """Sends a request and returns when its first byte went out (monotonic ns). The response goes to the stream."""
        self._response.release()
        self._response = HttpResponse()
        self._stream = stream
        self._done = asyncio.get_running_loop().create_future()
        self.stamped_by_kernel = True
        self.answered = False
        self.used = True
        sent_ns = monotonic_ns()
        try:
            if self.broken is not None:
                raise self.broken
            data = request if self._tls is None else self._tls.encrypt(request)
            sent_ns = monotonic_ns()
            self._write(data)
        except OSError as exc:
            self._fail(exc, sent_ns)
            return sent_ns
        # The process may have waited for a CPU between reading the clock and sending, so the kernel's stamp is better.
        departed_ns = kernel_stamps.departure_ns(self.sock)
        if departed_ns is not None and sent_ns <= departed_ns <= monotonic_ns():
            sent_ns = departed_ns
        return sent_ns

    async def end(self) -> End:
        """Waits for the end of the response. By then the connection is closed if it cannot be used again."""
        if self._done is None:
            raise RuntimeError("nothing was sent")
        return await self._done

    def parse(self) -> None:
        """Parses the reads that have arrived, and gives them to the stream."""
        arrived, self.arrived, stream = self.arrived, [], self._stream
        if stream is None:
            return self._take_unasked(arrived)
        for stamp_ns, late_us, data in arrived:
            if (end := self._take(stream, stamp_ns, late_us, data)) is not None:
                return self._end(end)
        if self.broken is not None:
            return self._fail(self.broken, self.broken_ns)
        return None

    def close(self) -> None:
        """Closes the socket at once. A stream in flight ends as `closed`."""
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
        """Takes one read. Returns how the response ended, if it ended with this read."""
        response, ended, lost = self._response, not data, ""
        head_known = response.head_complete
        try:
            if self._tls is not None:
                data, ended = self._plain(data)
                if self._tls.broken is not None:
                    self._break(self._tls.broken, stamp_ns)
            if data:
                self.answered = True
                response.feed(data)
        except (OSError, NotHttp) as exc:
            # What came before the fault counts, as it does if it comes in a read of its own.
            lost = self._words(exc)
        if not head_known and response.head_complete:
            stream.head(response.status, response.headers)
        stream.kernel = self.stamped_by_kernel
        if parts := response.parts:
            stream.read(stamp_ns, late_us, parts[0] if len(parts) == 1 else b"".join(parts))
            parts.clear()
        if lost:
            return End("lost", stamp_ns, lost)
        if response.complete or (ended and response.ends_with_connection):
            return End("complete", stamp_ns)
        if ended:
            return End("lost", stamp_ns, f"the server closed the connection {self._where}")
        return None

    def _take_unasked(self, arrived: list[tuple[int, int, bytes]]) -> None:
        """Between requests only TLS session tickets may come. Anything else closes the connection."""
        try:
            over = [data or ended for _, _, data in arrived for data, ended in (self._plain(data),)]
        except OSError as exc:
            # With TLS 1.3, a server refuses a client's certificate only after the handshake.
            self._break(exc, monotonic_ns())
            return self.close()
        if self.broken is not None or any(over):
            self.close()
        return None

    def _plain(self, data: bytes) -> tuple[bytes, bool]:
        """The decrypted bytes of a read, and whether the server has closed its side."""
        if self._tls is None or not data:
            return data, not data
        data, ended = self._tls.decrypt(data)
        if reply := self._tls.outgoing():
            try:
                self._write(reply)
            except OSError as exc:
                self._break(exc, monotonic_ns())
        return data, ended

    def _end(self, end: End) -> None:
        self._stream = None
        self._response.release()
        if self._done is not None and not self._done.done():
            self._done.set_result(end)
        # If the server answered before it had the whole request, the next one would wait behind the rest.
        unsent = self._sending is not None and not self._sending.done()
        if end.kind != "complete" or not self._response.keeps_alive or self.broken is not None or unsent:
            self.close()

    def _break(self, exc: OSError, stamp_ns: int) -> None:
        """What has arrived by now is read first. Without the traceback, which refers to this connection."""
        if self.broken is None:
            self.broken, self.broken_ns = exc.with_traceback(None), stamp_ns

    def _fail(self, exc: Exception, stamp_ns: int) -> None:
        self._end(End("lost", stamp_ns, self._words(exc)))

    def _words(self, exc: Exception) -> str:
        """What happened to the connection."""
        if isinstance(exc, NotHttp):
            return f"the answer is not HTTP/1.1: {exc}"
        return f"{words_of_loss(exc)} {self._where}"

    @property
    def _where(self) -> str:
        return words_of_place(answered=self.answered, head_complete=self._response.head_complete)

    def _write(self, data: bytes) -> None:
        """Writes at once what the socket takes; the rest follows in order. Raises OSError."""
        if self._sending is not None and not self._sending.done():
            self._rest += data
            return
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            # A large prompt has filled the socket: a task writes the rest.
            self._rest += memoryview(data)[sent:]
            self._sending = asyncio.get_running_loop().create_task(self._write_rest())

    async def _write_rest(self) -> None:
        try:
            while self._rest:
                data = bytes(self._rest)
                self._rest.clear()
                await asyncio.get_running_loop().sock_sendall(self.sock, data)
        except OSError as exc:
            # The server may have answered before it closed the connection.
            self._break(exc, monotonic_ns())
