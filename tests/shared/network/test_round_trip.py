"""The round trip of a connection, as the kernel measured it."""

import socket
import sys

import pytest

from shared.network.round_trip import round_trip_ns, smallest_round_trip_ns


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it")
def test_the_round_trip_of_this_machine_is_short() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        measured = round_trip_ns(client), smallest_round_trip_ns(client)
    assert all(value is not None and 0 < value < 1_000_000_000 for value in measured)
    assert smallest_round_trip_ns(client) is None


def test_a_socket_that_is_not_tcp_has_none() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert round_trip_ns(one) is None
