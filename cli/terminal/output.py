"""Prints results to stdout and everything else to stderr. Only terminals get colour, unless FORCE_COLOR is set."""

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from cli.terminal.text_width import wrapped

if TYPE_CHECKING:
    from rich.console import Console

# Styles that people can read on dark and on light terminals. Yellow and green are too pale on white.
GOOD = "bold"
BAD = "bold red"
WARNING = "bold magenta"
QUIET = "dim"


class Line(NamedTuple):
    """A line of plain text, and how a terminal shows it.

    If `hang` is a number, a terminal breaks the line between words, and indents what follows by `hang` columns. None is
    for rows of tables and for text to copy.
    """

    text: str
    style: str = ""
    hang: int | None = None


@dataclass(frozen=True, slots=True)
class Colours:
    """What FORCE_COLOR and NO_COLOR ask for. `forced`: colour also in pipes; `none`: no colour in terminals."""

    forced: bool = False
    none: bool = False


_colours = Colours()


def choose_colours(force_color: str | None, no_color: str | None) -> None:
    """Sets the colours of this program from the values of FORCE_COLOR and NO_COLOR. NO_COLOR wins."""
    global _colours
    none = bool(no_color)
    _colours = Colours(forced=not none and bool(force_color) and force_color not in ("0", "false"), none=none)


def console(stream: TextIO) -> "Console":
    """A console that never interprets text as markup."""
    from rich.console import Console

    return Console(
        file=stream,
        force_terminal=True if _colours.forced else None,
        no_color=_colours.none,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=True,
    )


def write(lines: Iterable[Line | str], stream: TextIO | None = None) -> None:
    """Prints lines on `stream`, by default stdout."""
    stream = stream or sys.stdout
    if not stream.isatty() and not _colours.forced:
        # Rich takes 0.2 s to load and would change nothing here.
        stream.write("".join(f"{line if isinstance(line, str) else line.text}\n" for line in lines))
        stream.flush()
        return
    target, most = console(stream), screen_width(stream)
    for item in lines:
        line = Line(item) if isinstance(item, str) else item
        texts = [line.text] if line.hang is None or most is None else wrapped(line.text, most, line.hang)
        for text in texts:
            target.print(text, style=line.style or None)


def screen_width(stream: TextIO | None = None) -> int | None:
    """Columns of the terminal behind `stream`, by default stdout. None if it is no terminal."""
    stream = stream or sys.stdout
    if not stream.isatty():
        return None
    if stream is sys.stdout:
        return shutil.get_terminal_size().columns
    return os.get_terminal_size(stream.fileno()).columns or None


def note(text: str, style: str = "") -> None:
    """Prints a line for people on stderr."""
    write([Line(text, style, 2)], sys.stderr)


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
