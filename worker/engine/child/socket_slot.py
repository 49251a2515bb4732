"""Sends requests over our own sockets: happy eyeballs, TLS, keep-alive, new connections for closed ones."""

import asyncio
import contextlib
import socket
import ssl
from typing import Any

import aiohappyeyeballs

from shared.clock import monotonic_ns
from shared.network.round_trip import round_trip_ns
from shared.network.tls import TlsSession, UnusableTls, client_context
from worker.engine.child.connection import Connection
from worker.engine.child.keep_alive import KeepAlive
from worker.engine.child.outbox import Stream
from worker.engine.child.slot import lost_in_race
from worker.engine.child.socket_reader import SocketReader
from worker.engine.messages import Began, EndKind, SocketTarget

# RFC 8305's recommendation.
_HAPPY_EYEBALLS_DELAY_S = 0.25
# No server closes a new connection as idle before this.
IDLE_NS = 1_000_000_000

Address = tuple[int, int, int, str, tuple[Any, ...]]


class _CannotConnect(Exception):
    def __init__(self, kind: EndKind, message: str, started_ns: int) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.started_ns = started_ns


class Addresses:
    """Resolves the target's addresses, once for all slots that connect at the same time."""

    def __init__(self, target: SocketTarget) -> None:
        self._target = target
        self._asking: asyncio.Task[list[Address]] | None = None

    async def get(self) -> list[Address]:
        """Raises OSError if the name does not resolve."""
        if self._asking is None or self._asking.done():
            loop = asyncio.get_running_loop()
            self._asking = asyncio.ensure_future(self._ask(loop))
        return await asyncio.shield(self._asking)

    async def _ask(self, loop: asyncio.AbstractEventLoop) -> list[Address]:
        return [*await loop.getaddrinfo(self._target.host, self._target.port, type=socket.SOCK_STREAM)]


class SocketSlot:
    """A slot with its own connection, made when it is needed and kept as long as the server keeps it."""

    def __init__(self, target: SocketTarget, addresses: Addresses, reader: SocketReader, keep_alive: KeepAlive) -> None:
        self._target = target
        self._addresses = addresses
        self._reader = reader
        self._keep_alive = keep_alive
        self._connection: Connection | None = None
        self._opening: asyncio.Task[Connection] | None = None

    @property
    def connected(self) -> bool:
        if self._opening is not None:
            opened = self._opening
            return (
                opened.done() and not opened.cancelled() and opened.exception() is None and not opened.result().closed
            )
        connection = self._connection
        return connection is not None and not connection.closed and (not connection.used or self._keep_alive.holds)

    async def open(self) -> None:
        if self.connected:
            return
        if self._opening is None or self._opening.done():
            if self._connection is not None:
                self._connection.close()
            self._opening = asyncio.ensure_future(self._connect())
        # The next request takes the result.
        await asyncio.wait([self._opening])

    async def exchange(self, body: bytes, stream: Stream, due_ns: int) -> None:
        request = b"%scontent-length: %d\r\n\r\n%s" % (self._target.head, len(body), body)
        for renewed in (0, 1):
            try:
                connection = await self._ready()
            except _CannotConnect as exc:
                stream.began(Began(due_ns, exc.started_ns, None, None, None, True, renewed))
                return stream.end(exc.kind, message=exc.message)
            except asyncio.CancelledError:
                stream.began(Began(due_ns, monotonic_ns(), None, None, None, True, renewed))
                stream.end("closed")
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise
                return None
            kept = connection.used
            asked_ns = monotonic_ns()
            # One that was opened long ahead of its first request may be closed as idle, too.
            waited = kept or asked_ns - connection.connected_ns >= IDLE_NS
            sent_ns = connection.send(request, stream)
            stream.began(
                Began(
                    due_ns=due_ns,
                    started_ns=asked_ns if kept else connection.started_ns,
                    connected_ns=None if kept else connection.connected_ns,
                    tls_ms=None if kept else connection.tls_ms,
                    sent_ns=sent_ns,
                    new_connection=not kept,
                    renewed=renewed,
                )
            )
            end = await connection.end()
            if end.kind == "lost" and lost_in_race(
                kept=waited,
                answered=connection.answered,
                sent_ns=sent_ns,
                lost_ns=end.stamp_ns,
                round_trip_ns=connection.round_trip_ns,
            ):
                # As in every HTTP client, it goes out again on a new connection, and only that attempt is measured.
                if kept:
                    self._keep_alive.lost()
                continue
            if kept:
                self._keep_alive.carried()
            return stream.end(end.kind, end.stamp_ns, end.message, network_rtt_ns=connection.network_rtt_ns())
        raise AssertionError("the last attempt is on a new connection")

    def abort(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        if self._connection is not None:
            self._connection.close()

    async def close(self) -> None:
        self.abort()
        if self._opening is not None:
            await asyncio.gather(self._opening, return_exceptions=True)
            if not self._opening.cancelled() and self._opening.exception() is None:
                self._opening.result().close()

    async def _ready(self) -> Connection:
        """The kept connection, or a new one. Raises _CannotConnect."""
        await self._take_opened()
        if self._connection is not None and self._connection.used and not self._keep_alive.holds:
            self._connection.close()
        if self._connection is None or self._connection.closed:
            self._opening = asyncio.ensure_future(self._connect())
            await self._take_opened()
        if self._connection is None:
            raise RuntimeError("no connection was opened")
        return self._connection

    async def _take_opened(self) -> None:
        # No local variable refers to the task: with its error, it would be garbage.
        if self._opening is not None:
            try:
                self._connection = await self._opening
            finally:
                self._opening = None

    async def _connect(self) -> Connection:
        started_ns = monotonic_ns()
        try:
            async with asyncio.timeout(self._target.connect_s):
                addresses, begin_ns = await self._addresses.get(), monotonic_ns()
                sock = await aiohappyeyeballs.start_connection(
                    addresses, happy_eyeballs_delay=_HAPPY_EYEBALLS_DELAY_S, interleave=1
                )
                try:
                    return await self._set_up(sock, started_ns, round_trip_ns(sock) or monotonic_ns() - begin_ns)
                except BaseException:
                    sock.close()
                    raise
        except TimeoutError:
            raise _CannotConnect("connect_timeout", "no connection within connect_s", started_ns) from None
        except (ssl.SSLError, UnusableTls) as exc:
            raise _CannotConnect("tls_error", f"cannot connect: {exc}", started_ns) from None
        except (OSError, UnicodeError) as exc:
            raise _CannotConnect("connect_error", f"cannot connect: {exc}", started_ns) from None

    async def _set_up(self, sock: socket.socket, started_ns: int, round_trip_ns: int) -> Connection:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        tls = tls_ms = None
        if self._target.tls:
            tls, begin_ns = TlsSession(client_context(self._target.trust), host=self._target.host), monotonic_ns()
            await _shake_hands(tls, sock)
            tls_ms = (monotonic_ns() - begin_ns) / 1e6
        connection = Connection(
            sock,
            tls,
            started_ns=started_ns,
            connected_ns=monotonic_ns(),
            tls_ms=tls_ms,
            round_trip_ns=round_trip_ns,
            on_close=self._reader.remove,
        )
        self._reader.add(connection)
        return connection


async def _shake_hands(tls: TlsSession, sock: socket.socket) -> None:
    """Raises ssl.SSLError if the certificate or the handshake is refused, OSError if the server goes away."""
    loop = asyncio.get_running_loop()
    done, data = False, b""
    while not done:
        try:
            done = tls.shake_hands(data)
        except ssl.SSLError:
            with contextlib.suppress(OSError):
                await loop.sock_sendall(sock, tls.outgoing())
            raise
        await loop.sock_sendall(sock, tls.outgoing())
        if not done and not (data := await loop.sock_recv(sock, 65_536)):
            raise ConnectionResetError("the server closed the connection in the TLS handshake")
