"""URLs that an operator configures: of endpoints, of their metrics, and of this service."""

from urllib.parse import urlsplit

_NO_URL = "must be an http:// or https:// URL with a host, and a port from 1 to 65535 if it has one"


def check(value: str, instead: str = "leave them out") -> str:
    """The URL, which has scheme, host, port and path alone. Raises ValueError that does not repeat it.

    `instead`: where what a URL may not have belongs.
    """
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    # `urlsplit` passes over line breaks and the like.
    if not valid or not value.isprintable():
        raise ValueError(_NO_URL)
    if "@" in parts.netloc or any(mark in value for mark in "?# "):
        raise ValueError(f"must hold no credentials, query, fragment or space: {instead}")
    return value
