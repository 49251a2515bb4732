"""Finds free TCP ports, and checks whether a port is free."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cli.exits import usage


def free_port() -> int:
    """A port of 127.0.0.1 on which no program listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def kept_port() -> Iterator[int]:
    """A free port of 127.0.0.1 for a server that starts meanwhile and sets SO_REUSEADDR, as servers do.

    Until the end of the block, Linux gives it neither to an outgoing connection nor to another server that asks for any
    port. Other systems let nobody listen on a port that is kept, so there it is free from the start.
    """
    with socket.socket() as keeper:
        keeper.bind(("127.0.0.1", 0))
        port: int = keeper.getsockname()[1]
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform != "linux":
            keeper.close()
        yield port


def check_free(host: str, port: int) -> None:
    """Raises CliError if the API cannot listen on this host and port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, OverflowError) as exc:
        raise usage(f"--host {host} --port {port}: {getattr(exc, 'strerror', exc)}") from exc
    with socket.socket(family, kind, protocol) as probe:
        # Servers set this too, so that closing connections of an earlier server do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as exc:
            raise usage(
                f"cannot listen on {host} port {port}: {exc.strerror}",
                ["Choose another port with --port, or use the server that runs there with --server."],
            ) from exc
