"""The only place where sockets are read. A read gets the kernel's receive timestamp, or else the time of the look."""

import asyncio
import contextlib
import selectors

from shared.clock import monotonic_ns
from shared.network import kernel_stamps
from worker.engine.child.connection import Connection
from worker.engine.child.loop_lag import WakefulSelector

READ_BYTES = 65_536
# The kernel stamps a packet before its bytes can be read, maybe on another core, and by another clock. So a stamp may
# be this much older than a look that did not find the bytes. If it is older still, somebody has set the clock.
_TOLERANCE_NS = 1_000_000


class SocketReader:
    """A selector within the loop's own: one callback reads all ready sockets, and no task is woken to read."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wakeful: WakefulSelector) -> None:
        self._loop = loop
        self._wakeful = wakeful
        self._selector = selectors.DefaultSelector()
        # Kept open: the kernel stamps only while some socket asks for it.
        self._wants_stamps = kernel_stamps.begin()
        self._paused_ns: int | None = None
        self.resume()

    def add(self, connection: Connection) -> None:
        """Reads the connection from now on."""
        kernel_stamps.ask(connection.sock, departures=True)
        self._selector.register(connection.sock, selectors.EVENT_READ, connection)

    def remove(self, connection: Connection) -> None:
        """Stops reading the connection. Must be called before its socket is closed."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection.sock)

    def pause(self) -> None:
        """Stops reading. Bytes that come meanwhile are known to be late."""
        self._paused_ns = self.read_until_ns
        self._loop.remove_reader(self._selector)

    @property
    def read_until_ns(self) -> int:
        """Everything that arrived before this time (monotonic ns) has been read."""
        return self._wakeful.looked_ns if self._paused_ns is None else self._paused_ns

    def resume(self) -> None:
        self._paused_ns = None
        self._loop.add_reader(self._selector, self._ready)

    def _ready(self) -> None:
        looked_ns, entered_ns = self._wakeful.looked_ns, self._wakeful.entered_ns
        waited, returned_ns = self._wakeful.waited, self._wakeful.returned_ns
        ready = self._selector.select(0)
        offset_ns, now_ns = kernel_stamps.realtime_offset_ns(), monotonic_ns()
        late_if_awake_ns, late_if_waited_ns = now_ns - looked_ns, now_ns - returned_ns
        told: list[Connection] = []
        # First all reads, then all parsing: bytes that wait may merge with later ones and lose their stamp.
        for key, _ in ready:
            connection: Connection = key.data
            try:
                data, ancillary, _, _ = connection.sock.recvmsg(READ_BYTES, kernel_stamps.ANCILLARY_BYTES)
            except BlockingIOError:
                # The socket was ready because of the late stamp of a sent packet.
                kernel_stamps.departure_ns(connection.sock)
                continue
            except OSError as exc:
                self.remove(connection)
                # Without the traceback, which refers to the connection: no garbage is collected during a run.
                connection.broken, connection.broken_ns = exc.with_traceback(None), now_ns
                told.append(connection)
                continue
            if not data:
                self.remove(connection)
            stamp_ns, late_ns, earliest_ns = now_ns, late_if_waited_ns if waited else late_if_awake_ns, looked_ns
            kernel_ns = kernel_stamps.stamp_ns(ancillary, offset_ns)
            if connection.unread_since_ns is not None:
                # Only bytes that came before the socket was registered can be older than the look before.
                earliest_ns, connection.unread_since_ns = min(looked_ns, connection.unread_since_ns), None
            if kernel_ns is not None and earliest_ns - _TOLERANCE_NS <= kernel_ns <= monotonic_ns():
                stamp_ns = kernel_ns
                if kernel_ns < entered_ns:
                    late_ns = late_if_awake_ns
                if (apart_ns := abs(now_ns - kernel_ns)) > late_ns:
                    late_ns = apart_ns
            elif data:
                # The read has no stamp, or somebody has set the clock.
                connection.stamped_by_kernel = False
            # Bytes arrive in order, so stamps must not go back. They could if the clock is set, or if a read without
            # the kernel's stamp, which is stamped late, is followed by one with it.
            if stamp_ns < connection.last_read_ns:
                stamp_ns = connection.last_read_ns
            connection.last_read_ns = stamp_ns
            connection.arrived.append((stamp_ns, late_ns // 1_000, data))
            told.append(connection)
        for connection in told:
            connection.parse()
