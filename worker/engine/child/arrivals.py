"""The one place where sockets are read: every read gets the kernel's receive timestamp, else the time of the look."""

import asyncio
import contextlib
import selectors
import socket
import struct
import sys

from shared.clock import monotonic_ns, realtime_ns
from worker.engine.child.connection import Connection
from worker.engine.child.loop_lag import WakefulSelector

READ_BYTES = 65_536
# linux/socket.h, 64 bit; Python's socket module does not name it. Other systems stamp no TCP reads.
_SO_TIMESTAMPNS = 35 if sys.platform == "linux" and struct.calcsize("P") == 8 else None
_TIMESPEC = struct.Struct("=qq")
_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
# Two clocks read further apart than this are read again: the process slept between them.
_ONE_BREATH_NS = 5_000


class Arrivals:
    """A selector of streams within the loop's own: one callback for all that are ready, no task is woken to read."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wakeful: WakefulSelector) -> None:
        self._loop = loop
        self._wakeful = wakeful
        self._selector = selectors.DefaultSelector()
        # The kernel stamps nothing while no socket wants it, and takes a moment to begin: this one wants it always.
        self._wants_stamps = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        _ask_for_stamps(self._wants_stamps)
        self.resume()

    def add(self, connection: Connection) -> None:
        """From now on the connection is told what arrives."""
        _ask_for_stamps(connection.sock)
        self._selector.register(connection.sock, selectors.EVENT_READ, connection)

    def remove(self, connection: Connection) -> None:
        """Before the socket is closed."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection.sock)

    def pause(self) -> None:
        """Reads nothing: what comes meanwhile is known to be late."""
        self._loop.remove_reader(self._selector)

    def resume(self) -> None:
        self._loop.add_reader(self._selector, self._ready)

    def _ready(self) -> None:
        looked_ns, entered_ns = self._wakeful.looked_ns, self._wakeful.entered_ns
        waited, returned_ns = self._wakeful.waited, self._wakeful.returned_ns
        ready = self._selector.select(0)
        now_ns, offset_ns = _now_and_offset_ns()
        late_if_awake_ns, late_if_waited_ns = now_ns - looked_ns, now_ns - returned_ns
        told: list[Connection] = []
        # First all reads, then all parsing: a read that waits may merge with the next and lose a stamp.
        for key, _ in ready:
            connection: Connection = key.data
            try:
                data, ancillary, _, _ = connection.sock.recvmsg(READ_BYTES, _ANCILLARY_BYTES)
            except BlockingIOError:
                continue
            except OSError as exc:
                self.remove(connection)
                connection.broken = exc
                told.append(connection)
                continue
            if not data:
                self.remove(connection)
            stamp_ns, late_ns = now_ns, late_if_waited_ns if waited else late_if_awake_ns
            if ancillary:
                seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
                kernel_ns = seconds * 1_000_000_000 + nanoseconds - offset_ns
                if looked_ns - _ONE_BREATH_NS <= kernel_ns <= monotonic_ns():
                    stamp_ns = kernel_ns
                    if kernel_ns < entered_ns:
                        late_ns = late_if_awake_ns
                    late_ns = max(late_ns, abs(now_ns - kernel_ns))
                else:
                    # Somebody has set the clock.
                    connection.stamped_by_kernel = False
            elif data:
                connection.stamped_by_kernel = False
            connection.arrived.append((stamp_ns, late_ns // 1_000, data))
            told.append(connection)
        for connection in told:
            connection.parse()


def _ask_for_stamps(sock: socket.socket) -> None:
    if _SO_TIMESTAMPNS is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def _now_and_offset_ns() -> tuple[int, int]:
    """The monotonic clock, and by how much the real-time clock is ahead of it."""
    for _ in range(5):
        now_ns = monotonic_ns()
        real_ns = realtime_ns()
        if monotonic_ns() - now_ns < _ONE_BREATH_NS:
            break
    return now_ns, real_ns - now_ns
