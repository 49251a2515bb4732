"""Ports for the servers of the embedded stack."""

import socket
import sys

import pytest

from cli.stack.ports import kept_port


@pytest.mark.skipif(sys.platform != "linux", reason="other systems let nobody listen on a port that is kept")
def test_only_a_server_that_names_a_kept_port_gets_it() -> None:
    with kept_port() as port:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", port))
            server.listen()
            with socket.create_connection(("127.0.0.1", port)):
                pass


def test_a_port_is_free_afterwards() -> None:
    with kept_port() as port:
        pass
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
