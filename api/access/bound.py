"""Where the API listens. Without any key it starts only where nobody but this machine reaches it."""

import sys
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import PurePath

from starlette.types import Scope as AsgiScope

from shared.network.bound import Bound, bound_to_host
from shared.settings import Settings, server_environment

# Uvicorn's own default.
_DEFAULT = "127.0.0.1"


def bound(settings: Settings) -> Bound:
    """Where this process listens, by PUBLISHED_ON or by Uvicorn's own options and variables."""
    return bound_to(settings.published_on, sys.argv, server_environment())


def bound_to(published_on: str | None, arguments: Sequence[str], environment: Mapping[str, str]) -> Bound:
    """`arguments`: the command line of this process. Only Uvicorn's is understood: of other servers, the middleware
    looks at each request's own address (`is_elsewhere`).
    """
    if published_on or not _is_uvicorn(arguments):
        return bound_to_host(_DEFAULT, published_on)
    for option, what in (("fd", "the file descriptor"), ("uds", "the Unix socket")):
        value = _option(option, arguments, environment)
        if value:
            return Bound(f"{what} {value}", False)
    host = _option("host", arguments, environment)
    return bound_to_host(_DEFAULT if host is None else host, None)


def is_elsewhere(scope: AsgiScope) -> bool:
    """Whether a request came in by an address that is not this machine's loopback."""
    server = scope.get("server")
    try:
        address = ip_address(str(server[0]).partition("%")[0] if server else "")
    except ValueError:
        # A Unix socket, or a test's own name.
        return False
    return not (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _is_uvicorn(arguments: Sequence[str]) -> bool:
    """`uvicorn …` and `python -m uvicorn …`."""
    program = PurePath(arguments[0]) if arguments else PurePath()
    return program.stem == "uvicorn" or program.parts[-2:] == ("uvicorn", "__main__.py")


def _option(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """The last `--name value` or `--name=value`, else the variable, as Uvicorn reads them."""
    found = environment.get(f"UVICORN_{name.upper()}")
    rest = list(arguments[1:])
    for position, argument in enumerate(rest):
        if argument == f"--{name}" and position + 1 < len(rest):
            found = rest[position + 1]
        elif argument.startswith(f"--{name}="):
            found = argument.partition("=")[2]
    return found
