"""Checks the URL of a server, as it is given on the command line. For `cli.server.client`."""

import re
from urllib.parse import urlsplit

from cli.exits import usage
from shared.scrubber import MASK


def checked_url(url: str) -> str:
    """The URL without a slash at its end, with its scheme. Raises CliError."""
    full = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(full)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        shown = re.sub(r"(?s)(?:(?<=://)|^)(?!.*://).*(?=@)", MASK, url)
        raise usage(f"--server {shown}: must be a URL such as http://127.0.0.1:8000")
    return full.rstrip("/")


def without_password(url: str) -> str:
    """A checked URL without the name and the password in it, as lines for people and links have it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
