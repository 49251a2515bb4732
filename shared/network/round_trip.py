"""How long a packet takes to the other end of a connection and back, as the kernel measured it."""

import contextlib
import socket
import struct
import sys
from typing import Any

# struct tcp_info of linux/tcp.h: eight bytes, then 32-bit numbers, of which the 16th is the smoothed round trip in µs.
# The smallest round trip of the last minutes came with Linux 4.6.
_SIZE, _RTT_AT, _MIN_RTT_AT = 152, 68, 148
# What the kernel says before its first sample.
_NONE_YET = 2**32 - 1


def round_trip_ns(sock: Any) -> int | None:
    """Of a TCP socket that has just connected. None where the kernel does not tell (another system, no TCP)."""
    return _read(sock, _RTT_AT)


def smallest_round_trip_ns(sock: Any) -> int | None:
    """The smallest round trip of the last minutes. None where the kernel does not tell, and for a closed socket.

    Unlike the smoothed one, it does not grow when the other end delays its acknowledgements.
    """
    return _read(sock, _MIN_RTT_AT)


def _read(sock: Any, at: int) -> int | None:
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError):
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
        if len(info) >= at + 4 and (found_us := int(struct.unpack_from("=I", info, at)[0])) not in (0, _NONE_YET):
            return found_us * 1_000
    return None
