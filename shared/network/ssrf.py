"""Guards requests to URLs that a caller chose: they cannot reach our own network.

A URL is checked when it is stored, and again at every connection. The guard resolves the name itself, all its addresses
must be public, and the connection goes to an address that was checked. So a name that resolves differently a moment
later does not get past it, nor does an address in an odd spelling.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import idna

from shared.network.resolver import ThreadResolver

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str], Awaitable[Sequence[str]]]

RESOLVE_S = 5.0
MAX_URL_CHARS = 2_000

# IANA's special-purpose registry, and addresses that look public but belong to the inside of clouds.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is a cloud's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host agent
        "169.254.0.0/16",  # link-local; 169.254.169.254 is most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments; 192.0.0.192 is a cloud's metadata
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# All public addresses are in here, and those of the next list are not public. Outside of it are loopback, mapped and
# compatible IPv4, unique local, link-local, site-local and multicast addresses.
_GLOBAL_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
# Addresses that lead to the IPv4 address in their last four bytes.
_LEADS_TO_V4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
# A label that a resolver could read as a number. Only the plain spelling of an IPv4 address passes.
_NUMERIC_LABEL = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", re.IGNORECASE)


class ForbiddenUrl(ValueError):
    """The URL must not be requested. The message may be shown to its caller: it says nothing about our network."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where a URL leads, before any name is resolved."""

    scheme: str
    name: str
    port: int


class SsrfGuard:
    """Lets requests reach public addresses and the networks that the operator has opened."""

    def __init__(self, allowed: Iterable[Network] = (), *, resolve: Resolver | None = None) -> None:
        """`resolve` returns the addresses of a host name; it may raise OSError."""
        self._allowed = tuple(allowed)
        self._resolve = resolve or ThreadResolver()

    async def check(self, url: str) -> Host:
        """The URL's host. Raises ForbiddenUrl if the URL may not be requested or its host cannot be resolved."""
        host = parse(url)
        await self.addresses(host.name)
        return host

    async def addresses(self, name: str) -> list[str]:
        """The addresses of a host. Raises ForbiddenUrl if one of them may not be reached or there is none."""
        literal = _literal(name)
        if literal is not None:
            found = [literal]
        else:
            try:
                async with asyncio.timeout(RESOLVE_S):
                    found = [ip_address(text) for text in await self._resolve(name)]
            except (OSError, TimeoutError, UnicodeError, ValueError):
                raise ForbiddenUrl("its host name cannot be resolved") from None
        if not found:
            raise ForbiddenUrl("its host name cannot be resolved")
        if not all(self._may_reach(address) for address in found):
            raise ForbiddenUrl("it leads to an address that is not public")
        return [str(address) for address in found]

    def _may_reach(self, address: Address) -> bool:
        if is_public(address):
            return True
        leads_to = _embedded(address) or address
        return any(
            candidate.version == network.version and candidate in network
            for network in self._allowed
            for candidate in (address, leads_to)
        )


def parse(url: str) -> Host:
    """The URL's host, without resolving it. Raises ForbiddenUrl if it is not a plain http(s) URL."""
    if len(url) > MAX_URL_CHARS:
        raise ForbiddenUrl(f"must have at most {MAX_URL_CHARS:,} characters")
    if not url.isprintable() or any(character.isspace() or character == "\\" for character in url):
        raise ForbiddenUrl("must not contain spaces, control characters or backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ForbiddenUrl("is not a URL") from None
    if "[" in parts.netloc and ":" not in (parts.hostname or ""):
        raise ForbiddenUrl("is not a URL")
    if parts.scheme not in ("http", "https"):
        raise ForbiddenUrl("must start with https:// or http://")
    if "@" in parts.netloc:
        raise ForbiddenUrl("must not contain a user or password")
    if not parts.hostname or port == 0:
        raise ForbiddenUrl("must name a host")
    return Host(parts.scheme, _ascii(parts.hostname), port or (443 if parts.scheme == "https" else 80))


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet. If it leads to an IPv4 address, that one is judged."""
    target = _embedded(address) or address
    if isinstance(target, IPv4Address):
        return not any(target in network for network in _NOT_PUBLIC_V4)
    if target.scope_id is not None or target not in _GLOBAL_V6:
        return False
    return not any(target in network for network in _NOT_PUBLIC_V6)


def networks(text: str) -> tuple[Network, ...]:
    """CIDRs separated by commas. Raises ValueError that names the wrong one."""
    found = []
    for part in filter(None, (item.strip() for item in text.split(","))):
        try:
            found.append(ip_network(part))
        except ValueError:
            raise ValueError(f"{part!r} is not a network such as 10.0.0.0/8") from None
    return tuple(found)


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv6Address) and any(address in network for network in _LEADS_TO_V4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _ascii(name: str) -> str:
    """The host in ASCII, as DNS has it. Raises ForbiddenUrl unless it is a name or an address in plain spelling."""
    if ":" in name:
        if _literal(name) is None:
            raise ForbiddenUrl("is not a URL")
        return name
    try:
        plain = name if name.isascii() else idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        raise ForbiddenUrl("its host name is not valid") from None
    if not _HOST.fullmatch(plain) or ".." in plain or len(plain) > 253:
        raise ForbiddenUrl("its host name is not valid")
    last = plain.rstrip(".").rpartition(".")[2]
    if _NUMERIC_LABEL.fullmatch(last) and _literal(plain) is None:
        raise ForbiddenUrl("must write an address in its plain form, such as 192.0.2.1")
    return plain


def _literal(name: str) -> Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
