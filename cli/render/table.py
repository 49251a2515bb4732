"""A plain table without lines. Columns are aligned by the width that a terminal shows."""

import shutil
import sys
import unicodedata
from collections.abc import Sequence

from cli.output import Line

GAP = "  "
NARROWEST = 8


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "", fit: Sequence[int] = ()
) -> list[Line]:
    """Lines of a table. `right` has an `r` for each column that is aligned right.

    If the terminal is too narrow, the columns in `fit` are cut, the widest first. A pipe or file gets the full text.
    """
    sides = right.ljust(len(header), "l")
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(width(row[index]) for row in cells) for index in range(len(header))]
    over = sum(widths) + len(GAP) * (len(widths) - 1) - screen_width()
    while over > 0 and any(widths[column] > NARROWEST for column in fit):
        widths[max(fit, key=lambda column: widths[column])] -= 1
        over -= 1
    for row in cells:
        for column in fit:
            row[column] = cut(row[column], widths[column])
    lines = [
        GAP.join(_pad(cell, size, side) for cell, size, side in zip(row, widths, sides, strict=True)).rstrip()
        for row in cells
    ]
    return [Line(lines[0], "bold"), *(Line(line) for line in lines[1:])]


def screen_width() -> int:
    """Columns of the terminal; a million if stdout is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 1_000_000


def width(text: str) -> int:
    """Columns that the text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def cut(text: str, most: int) -> str:
    """The text, cut to `most` columns with a … at the end if it is wider."""
    if width(text) <= most:
        return text
    kept, used = "", 1
    for character in text:
        used += _columns(character)
        if used > most:
            break
        kept += character
    return f"{kept}…"


def _columns(character: str) -> int:
    if unicodedata.combining(character) or character in "\u200c\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _pad(text: str, size: int, side: str) -> str:
    space = " " * (size - width(text))
    return space + text if side == "r" else text + space
