"""Which hosts are this machine, which a server answers to, and which origins are its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host in lower case, without brackets and without a dot at its end. `port` None: the scheme's own."""

    host: str
    port: int | None

    @property
    def is_address(self) -> bool:
        return _is_address(self.host)

    @property
    def is_loopback_name(self) -> bool:
        return self.host == "localhost" or self.host.endswith(".localhost")


def is_loopback(host: str) -> bool:
    """Whether a host of a URL is this machine: `localhost`, or a loopback address without brackets."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse_host(text: str) -> HostPort | None:
    """A `Host` header, or the part of an origin after the scheme. None if it is neither a name nor an address."""
    text = text.strip().lower()
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or not _is_address(host):
            return None
        colon, port = rest[:1], rest[1:]
    else:
        host, colon, port = text.partition(":")
        host = host.removesuffix(".")
        if not host or not set(host) <= _NAME:
            return None
    if colon not in ("", ":") or (port and not (port.isascii() and port.isdecimal() and len(port) <= 5)):
        return None
    return HostPort(host, int(port) if port else None)


class AllowedHosts:
    """Loopback names, IP addresses, and the names of a list. `*.example.com` stands for its subdomains, `*` for all.

    An address in a `Host` header cannot come from DNS, so no page of another name can have led there.
    """

    def __init__(self, names: Sequence[str] = (), public_url: str | None = None) -> None:
        public = parse_host(urlsplit(public_url).netloc) if public_url is not None else None
        self._names = {name.lower().removesuffix(".") for name in names}
        if public is not None:
            self._names.add(public.host)
        self._public = None if public_url is None else _origin(public_url)

    def allows(self, host: str) -> bool:
        """Whether a request with this `Host` header is answered."""
        found = parse_host(host)
        if found is None:
            return False
        if "*" in self._names or found.is_address or found.is_loopback_name or found.host in self._names:
            return True
        parts = found.host.split(".")
        return any(f"*.{'.'.join(parts[begin:])}" in self._names for begin in range(1, len(parts)))

    def is_own(self, origin: str, host: str) -> bool:
        """Whether a page of this `Origin` was served from the `Host` that it sends to, or from PUBLIC_URL."""
        found = _origin(origin)
        if found is None:
            return False
        scheme, sender = found
        if found == self._public:
            return True
        target = parse_host(host)
        # A proxy may have ended TLS, so the scheme of the request is unknown: the origin's own applies to both.
        return target is not None and sender == _with_port(target, scheme)


def check_pattern(text: str) -> str:
    """An item of ALLOWED_HOSTS. Raises ValueError if it is no host name."""
    name = text.removeprefix("*.")
    found = parse_host(name)
    if text != "*" and (found is None or found.port is not None):
        raise ValueError("must be host names without scheme and port, such as bench.example.com or *.example.com")
    return text


def _origin(text: str) -> tuple[str, HostPort] | None:
    scheme, separator, rest = text.partition("://")
    host = parse_host(rest.partition("/")[0])
    if not separator or scheme.lower() not in _PORTS or host is None:
        return None
    return scheme.lower(), _with_port(host, scheme.lower())


def _with_port(host: HostPort, scheme: str) -> HostPort:
    return HostPort(host.host, _PORTS[scheme] if host.port is None else host.port)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
