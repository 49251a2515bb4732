"""The path below which a proxy publishes the API, such as `/llmbench`. For settings and for the header of a proxy."""

import re

MAX_CHARS = 200
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def check(text: str) -> str:
    """The prefix without a slash at its end; empty for none. Raises ValueError if it is not a plain path.

    `//other.example` and `/..` are not plain: in a link they would lead elsewhere.
    """
    prefix = text.rstrip("/")
    if prefix and (len(prefix) > MAX_CHARS or not _PREFIX.fullmatch(prefix)):
        raise ValueError("must be a plain path such as /llmbench")
    return prefix
