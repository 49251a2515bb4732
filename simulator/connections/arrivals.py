"""Reads a connection's socket in its transport's place: a busy loop reads late, and the kernel knows by how much."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

from shared.clock import monotonic_ns
from shared.network import kernel_stamps

_READ_BYTES = 65_536
# More bytes than any socket holds.
_NEVER = 2**30


def leave_to_us(listener: int) -> None:
    """Of a listening descriptor: what it accepts shows no bytes to anybody until `Arrivals` has taken over.

    A transport reads before it can be told not to: a client that connects and sends while the loop is busy would
    have its first request stamped when the loop came to it. Accepted sockets inherit the mark from which on a socket
    counts as readable.
    """
    with socket.socket(fileno=os.dup(listener)) as sock, contextlib.suppress(OSError):
        # Inherited as well.
        kernel_stamps.ask(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, _NEVER)


class Arrivals:
    """Tells what arrived and when (monotonic ns); no bytes are the client's end."""

    def __init__(self, transport: asyncio.Transport, on_arrival: Callable[[bytes, int], None]) -> None:
        self._transport = transport
        self._on_arrival = on_arrival
        self._loop = asyncio.get_running_loop()
        # A loop watches a descriptor once; the copy is another descriptor of the same socket.
        self._sock = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        kernel_stamps.ask(self._sock)
        # Not yet: a transport begins to read after it has told of its connection.
        self._loop.call_soon(self._take_over)

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()

    def _take_over(self) -> None:
        if self._sock.fileno() >= 0 and not self._transport.is_closing():
            self._transport.pause_reading()
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._loop.add_reader(self._sock.fileno(), self._ready)

    def _ready(self) -> None:
        try:
            data, ancillary, _, _ = self._sock.recvmsg(_READ_BYTES, kernel_stamps.ANCILLARY_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            self._transport.abort()
            return
        now_ns = monotonic_ns()
        kernel_ns = kernel_stamps.stamp_ns(ancillary, kernel_stamps.realtime_offset_ns())
        self._on_arrival(data, min(kernel_ns or now_ns, now_ns))
