"""Free and taken TCP ports."""

import socket

from cli.exits import usage


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_free(host: str, port: int) -> None:
    """Raises CliError where the API could not listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, OverflowError) as exc:
        raise usage(f"--host {host} --port {port}: {getattr(exc, 'strerror', exc)}") from exc
    with socket.socket(family, kind, protocol) as probe:
        # As servers do: connections of an earlier server that are still closing are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as exc:
            raise usage(
                f"cannot listen on {host} port {port}: {exc.strerror}",
                ["Choose another with --port, or use what runs there with --server."],
            ) from exc
