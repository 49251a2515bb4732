"""URLs that an operator configures: of endpoints, of their metrics, of proxies, and of this service."""

from urllib.parse import urlsplit

_NO_URL = "must be an http:// or https:// URL with a host, and a port from 1 to 65535 if it has one"


def leads_somewhere(value: str) -> bool:
    """Whether it is an HTTP URL with a host, and with a port that there is if it has one."""
    try:
        parts = urlsplit(value)
        # `urlsplit` passes over line breaks and the like.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and value.isprintable()
    except ValueError:
        return False


def check(value: str, instead: str = "leave them out") -> str:
    """The URL, which has scheme, host, port and path alone. Raises ValueError that does not repeat it.

    `instead`: where what a URL may not have belongs.
    """
    if not leads_somewhere(value):
        raise ValueError(_NO_URL)
    if "@" in urlsplit(value).netloc or any(mark in value for mark in "?# "):
        raise ValueError(f"must hold no credentials, query, fragment or space: {instead}")
    return value
