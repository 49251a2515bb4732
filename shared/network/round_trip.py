"""How long a packet takes to the other end of a connection and back, as the kernel measured it when it connected."""

import contextlib
import socket
import struct
import sys
from typing import Any

# struct tcp_info of linux/tcp.h: eight bytes, then 32-bit numbers, of which the 16th is the round trip in µs.
_SIZE, _RTT_AT = 104, 68


def round_trip_ns(sock: Any) -> int | None:
    """Of a TCP socket that has just connected. None where the kernel does not tell (another system, no TCP)."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError):
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
        if len(info) >= _RTT_AT + 4:
            return int(struct.unpack_from("=I", info, _RTT_AT)[0]) * 1_000
    return None
