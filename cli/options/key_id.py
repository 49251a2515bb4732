"""Checks the id of a key before it becomes a part of a URL, which is logged: it may be a whole key by mistake."""

import re

from cli.exits import usage

_ID = re.compile("[0-9a-z]{8}")


def checked_key_id(text: str, option: str = "KEY-ID") -> str:
    """Raises CliError, which does not repeat the text."""
    if not _ID.fullmatch(text):
        raise usage(f"{option} is the eight characters between lbk_ and the next _; `llmbench keys list` shows them")
    return text
