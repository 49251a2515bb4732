"""Prints results to stdout and everything else to stderr. Only terminals get colour."""

import json
import sys
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from rich.console import Console


class Line(NamedTuple):
    """A line of plain text, and how a terminal shows it."""

    text: str
    style: str = ""


def console(stream: TextIO) -> "Console":
    """A console that never interprets text as markup. Plain if the stream is no terminal or NO_COLOR is set."""
    from rich.console import Console

    return Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=True)


def write(lines: Iterable[Line | str], stream: TextIO | None = None) -> None:
    """Prints lines on `stream`, by default stdout."""
    stream = stream or sys.stdout
    if not stream.isatty():
        # Rich takes 0.2 s to load and would change nothing here.
        stream.write("".join(f"{line if isinstance(line, str) else line.text}\n" for line in lines))
        stream.flush()
        return
    target = console(stream)
    for line in lines:
        text, style = (line, "") if isinstance(line, str) else line
        target.print(text, style=style or None)


def note(text: str, style: str = "") -> None:
    """Prints a line for people on stderr."""
    write([Line(text, style)], sys.stderr)


def write_json(value: Any) -> None:
    """Prints JSON for programs on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def clean(text: str) -> str:
    """The text on one line, without characters that move the cursor, colour or reorder what a terminal shows."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_inert(character) for character in text)


def _inert(character: str) -> str:
    if character in "\n\t\r":
        return " "
    if character in "\u200c\u200d":  # joiners of scripts and emoji
        return character
    return "\ufffd" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") else character


def survive_any_encoding() -> None:
    """A terminal that is not UTF-8 shows `?` for unknown characters; without this, printing would fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
