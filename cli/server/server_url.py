"""Checks the URL of a server, as it is given on the command line. For `cli.server.client`."""

from urllib.parse import urlsplit

from cli.exits import usage


def checked_url(url: str) -> str:
    """The URL without a slash at its end, with its scheme. Raises CliError."""
    full = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(full)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise usage(f"--server {url}: must be a URL such as http://127.0.0.1:8000")
    return full.rstrip("/")
