"""The streams of this program: what happens if one is closed, or takes nothing more. For `cli.group`."""

import contextlib
import os
import sys
from typing import TextIO


def open_missing() -> bool:
    """Opens streams that were closed (`<&-`), as empty ones. Whether stdout was there.

    Without it, a file that is opened later gets the number of the stream, and what others print goes into it.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - it stays open
    has_stdout = sys.stdout is not None
    if not has_stdout:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    return has_stdout


def survive_any_encoding() -> None:
    """A terminal that is not UTF-8 shows `?` for unknown characters; without this, printing would fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def drop(stream: TextIO) -> None:
    """Throws away what stdout or stderr still holds: Python would complain at its end that it cannot write it."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
