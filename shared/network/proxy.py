"""The proxy that a variable of the environment names."""

from urllib.parse import urlsplit

from shared.network.hosts import parse_host


class UnusableProxy(ValueError):
    """No request can go through the proxy of the environment. The message names the variable, and not its value."""


def proxy_url(text: str, variable: str) -> str:
    """The URL of a proxy; one without a scheme is `http`, as it is for curl. Raises UnusableProxy."""
    url = text if "://" in text else f"http://{text}"
    if not _can_be_used(url):
        # The value may hold a password.
        raise UnusableProxy(f"{variable} cannot be used: it must be like http://proxy.example:3128, with http or https")
    return url


def _can_be_used(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    place = parse_host(parts.netloc.rpartition("@")[2])
    return (
        url.isprintable()
        and parts.scheme in ("http", "https")
        and place is not None
        and (place.port is None or 0 < place.port < 65_536)
    )
