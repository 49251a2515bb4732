"""One TCP connection: takes requests, plays responses, ends them the way a fault asks for.

With a certificate it speaks TLS.
"""

import asyncio
import os
import socket
import ssl
import struct
from collections import deque
from typing import cast

from shared.clock import monotonic_ns
from shared.network.tls import TlsSession
from simulator.connections.arrivals import Arrivals
from simulator.connections.http_head import LAST_CHUNK, Request, head
from simulator.connections.player import Player
from simulator.connections.request_reader import RequestReader, RequestRefused
from simulator.connections.timer import Timer
from simulator.protocols.call import Problem
from simulator.protocols.registry import wire_format_for
from simulator.record import Outcome, Records
from simulator.script import Close
from simulator.service import Response, Service

_MAX_PIPELINED = 16
_LINGER_S = 1.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

_OUTCOMES = {
    Close.DONE: Outcome.SUCCEEDED,
    Close.CLOSE: Outcome.SUCCEEDED,
    Close.ERROR: Outcome.ERRORED,
    Close.END: Outcome.TRUNCATED,
    Close.FIN: Outcome.TRUNCATED,
    Close.RST: Outcome.TRUNCATED,
}


class Connection(asyncio.Protocol):
    """Created by the server for each client; `open_connections` is the server's set of those alive."""

    def __init__(
        self,
        service: Service,
        records: Records,
        timer: Timer,
        open_connections: "set[Connection]",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._service = service
        self._records = records
        self._timer = timer
        self._open = open_connections
        self._tls = TlsSession(tls, server_side=True) if tls is not None else None
        self._transport: asyncio.Transport | None = None
        self._arrivals: Arrivals | None = None
        self._fd = -1
        self.paused = False
        self._reader = RequestReader(self._expected)
        self._waiting: deque[Request] = deque()
        self._request: Request | None = None
        self._response: Response | None = None
        self._player: Player | None = None
        self._closing = False

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._fd = sock.fileno()
        self._open.add(self)
        self._arrivals = Arrivals(self._transport, self._arrived)

    def data_received(self, data: bytes) -> None:
        # Only what the transport read before it was told not to.
        self._arrived(data, monotonic_ns())

    def connection_lost(self, exc: Exception | None) -> None:
        if self._arrivals is not None:
            self._arrivals.close()
        self._client_gone()
        self._open.discard(self)

    def _arrived(self, data: bytes, stamp_ns: int) -> None:
        ended = not data
        if self._tls is not None and data:
            try:
                data, ended = self._decrypted(self._tls, data)
            except ssl.SSLError:
                if self._transport is not None:
                    self._transport.abort()
                return
        if data:
            self._take(data, stamp_ns)
        if ended and self._transport is not None:
            self._client_gone()
            self._transport.close()

    def _decrypted(self, tls: TlsSession, data: bytes) -> tuple[bytes, bool]:
        """A read without its TLS, and whether it was the client's last. Raises ssl.SSLError."""
        try:
            if not tls.established:
                if not tls.shake_hands(data):
                    return b"", False
                data = b""
            return tls.decrypt(data)
        finally:
            self._write(tls.outgoing())

    def _take(self, data: bytes, stamp_ns: int) -> None:
        """Bytes of requests."""
        if self._closing:
            return
        try:
            self._waiting += self._reader.feed(data, stamp_ns)
        except RequestRefused as refused:
            self._refuse(refused.status, refused.message)
            return
        if len(self._waiting) > _MAX_PIPELINED:
            self._refuse(400, "Too many pipelined requests.")
        elif self._player is None:
            self._next_request()

    def _expected(self) -> None:
        """A client waits for leave to send its body."""
        if self._player is None:
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self._player is not None:
            self._player.play()

    # Called by the player.

    def send(self, data: bytes) -> bool:
        return self._write(data if self._tls is None else self._tls.encrypt(data))

    def _write(self, data: bytes) -> bool:
        transport = self._transport
        if not data:
            return True
        if transport is None or transport.is_closing():
            return False
        # uvloop holds writes back to the end of the loop's turn and joins them; an event must leave now, and alone.
        if transport.get_write_buffer_size() == 0:
            try:
                sent = os.write(self._fd, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                transport.abort()
                return False
            if sent == len(data):
                return True
            data = data[sent:]
        transport.write(data)
        return True

    def _content(self, events: int, tokens: int) -> None:
        if self._response is not None and self._response.record is not None:
            self._records.content(self._response.record, events, tokens)

    def _ended(self, close: Close) -> None:
        request, response, transport = self._request, self._response, self._transport
        if request is None or response is None or transport is None or close is Close.HANG:
            return  # a hanging response ends when its client goes
        complete = close in (Close.DONE, Close.CLOSE, Close.ERROR, Close.END)
        if complete and response.chunked:
            self.send(LAST_CHUNK)
        self._settle(_OUTCOMES[close])
        if close is Close.RST:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        elif not complete or close is Close.CLOSE or not request.keep_alive:
            self._closing = True
            if complete:
                self._say_goodbye()
            transport.close()
        else:
            # Not at once: a client that pipelines would otherwise nest one answer in another.
            asyncio.get_running_loop().call_soon(self._next_request)

    # Between requests, and at the end.

    def _next_request(self) -> None:
        if self._closing or self._player is not None or not self._waiting:
            return
        self._request = self._waiting.popleft()
        self._response = self._service.respond(self._request)
        turn = 1 if self._response.singly else 32
        self._player = Player(self, self._timer, self._response.steps, self._content, self._ended, writes_per_turn=turn)
        self._player.play()

    def _settle(self, outcome: Outcome, *, closed_by_client: bool = False) -> None:
        """Stops the answer in progress, if any, and records how it ended."""
        response, player = self._response, self._player
        self._response = self._request = self._player = None
        if player is not None:
            player.stop()
        if response is not None and response.ticket is not None:
            response.ticket.leave(monotonic_ns(), complete=outcome is Outcome.SUCCEEDED)
        if response is not None and response.record is not None:
            self._records.end(response.record, outcome, closed_by_client=closed_by_client)

    def _client_gone(self) -> None:
        self._closing = True
        self._waiting.clear()
        self._settle(Outcome.CANCELLED, closed_by_client=True)

    def _refuse(self, status: int, message: str) -> None:
        """Answers a request that never became one, then closes once the client has had time to read why."""
        transport = self._transport
        if transport is None:
            return
        self._waiting.clear()
        self._settle(Outcome.CANCELLED)
        self._closing = True
        wire = wire_format_for(self._reader.url, self._reader.headers)
        data = wire.error_body(Problem(status, message), 0)
        headers = {"content-type": "application/json", "content-length": str(len(data))}
        self.send(head(status, headers, keep_alive=False) + data)
        # Closing with unread bytes in the socket resets it, and the client would lose the answer.
        self._say_goodbye()
        if not transport.is_closing():
            transport.write_eof()
        asyncio.get_running_loop().call_later(_LINGER_S, transport.close)

    def _say_goodbye(self) -> None:
        """TLS tells an end from a connection that broke."""
        if self._tls is not None:
            self._write(self._tls.close())

    def shut_down(self) -> None:
        self._closing = True
        self._waiting.clear()
        self._settle(Outcome.SHUTDOWN)
        if self._transport is not None:
            self._transport.abort()
