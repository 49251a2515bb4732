"""The kernel's stamps, as all that times a stream needs them: from the first byte on."""

import socket
import sys
import time

import pytest

from shared.clock import monotonic_ns
from shared.network import kernel_stamps

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives")


def test_the_first_byte_after_the_beginning_has_a_stamp() -> None:
    """The kernel begins a few milliseconds after it was asked, and ends some after the last socket was closed."""
    for _ in range(5):
        time.sleep(0.05)  # so that it ends, where no other process on this machine asks
        with kernel_stamps.begin(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            kernel_stamps.ask(receiver)
            receiver.bind(("127.0.0.1", 0))
            before_ns = monotonic_ns()
            receiver.sendto(b"x", receiver.getsockname())
            _, ancillary, _, _ = receiver.recvmsg(1, kernel_stamps.ANCILLARY_BYTES)
            stamp_ns = kernel_stamps.stamp_ns(ancillary, kernel_stamps.realtime_offset_ns())
        assert stamp_ns is not None, "no stamp"
        assert before_ns - 1_000_000 <= stamp_ns <= monotonic_ns() + 1_000_000
