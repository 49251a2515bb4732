"""The kernel's own timestamps of what a socket sends and receives, on the monotonic clock. Linux only.

If there are none (another system, another kind of socket), the functions return None and the caller reads the clock
itself. See `Documentation/networking/timestamping.rst` of the kernel.
"""

import contextlib
import select
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any

from shared.clock import monotonic_ns, realtime_ns

# linux/net_tstamp.h and asm-generic/socket.h, 64 bit; Python's socket module names neither.
_SO_TIMESTAMPING = 37
_TX_SOFTWARE, _RX_SOFTWARE, _SOFTWARE, _OPT_TSONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 11
_MSG_ERRQUEUE = 0x2000
_SUPPORTED = sys.platform == "linux" and struct.calcsize("P") == 8
# struct scm_timestamping: three timespecs, of which the first is the software stamp.
_STAMPS = struct.Struct("=qq32x")
ANCILLARY_BYTES = socket.CMSG_SPACE(_STAMPS.size) * 2
# If more time than this passes between reading two clocks, the process slept in between, and both are read again.
_ONE_BREATH_NS = 5_000
# How long the kernel gets to begin stamping (2 to 5 ms were measured), and how often that is looked at.
_PATIENCE_NS = 200_000_000
_LOOK_EVERY_S = 0.0005

_Ancillary = Sequence[tuple[int, int, bytes]]


def ask(sock: socket.socket, *, departures: bool = False) -> None:
    """Makes the kernel stamp what this socket receives from now on and, with `departures`, what it sends.

    Stamps of sent bytes wait in the socket's error queue until `departure_ns` takes them. They wake its selector.
    """
    if _SUPPORTED:
        flags = _RX_SOFTWARE | _SOFTWARE | (_TX_SOFTWARE | _OPT_TSONLY if departures else 0)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, flags)


def begin() -> socket.socket:
    """A socket that keeps the kernel stamping until it is closed. Returns once the kernel does stamp.

    The kernel stamps only while some socket asks for it, and begins a few milliseconds after the first one has asked:
    what arrives meanwhile has no stamp. Waits 0.2 s at most, for a kernel that accepts the option and never stamps.
    """
    asks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if not _SUPPORTED:
        return asks
    ask(asks, departures=True)
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, _RX_SOFTWARE | _SOFTWARE)
        probe.bind(("127.0.0.1", 0))
        probe.connect(probe.getsockname())
        probe.settimeout(_PATIENCE_NS / 1e9)
        give_up_ns = monotonic_ns() + _PATIENCE_NS
        while monotonic_ns() < give_up_ns:
            probe.send(b"?")
            _, ancillary, _, _ = probe.recvmsg(1, ANCILLARY_BYTES)
            if stamp_ns(ancillary, 0) is not None:
                break
            select.select((), (), (), _LOOK_EVERY_S)
    return asks


def realtime_offset_ns() -> int:
    """How far the kernel's stamps, which are real time, are ahead of the monotonic clock, in ns."""
    for _ in range(5):
        before_ns = monotonic_ns()
        real_ns = realtime_ns()
        if monotonic_ns() - before_ns < _ONE_BREATH_NS:
            break
    return real_ns - before_ns


def stamp_ns(ancillary: _Ancillary, offset_ns: int) -> int | None:
    """When the last byte of a read arrived, in monotonic ns, from the read's ancillary data. None without a stamp."""
    for _, kind, data in ancillary:
        if kind == _SO_TIMESTAMPING and len(data) == _STAMPS.size:
            seconds: int
            nanoseconds: int
            seconds, nanoseconds = _STAMPS.unpack(data)
            return seconds * 1_000_000_000 + nanoseconds - offset_ns
    return None


def departure_ns(sock: Any) -> int | None:
    """When the last bytes left, in monotonic ns; None without a stamp. Takes all stamps off the error queue."""
    latest: int | None = None
    if _SUPPORTED:
        with contextlib.suppress(OSError):  # no (more) stamps
            while True:
                _, ancillary, _, _ = sock.recvmsg(0, 512, _MSG_ERRQUEUE)
                found = stamp_ns(ancillary, realtime_offset_ns())
                latest = found if found is not None else latest
    return latest
