"""How wide text is in a terminal, and how to cut or wrap it by that width. Every part that prints uses it."""

import unicodedata
from collections.abc import Iterator


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


def wrapped(text: str, most: int, hang: int) -> Iterator[str]:
    """Lines of at most `most` columns, broken between words. All but the first are indented by `hang` columns.

    A word that is wider than a line stays whole: the terminal breaks it, and it can still be copied.
    """
    first, *words = text.split(" ")
    line = first
    for word in words:
        joined = f"{line} {word}"
        if line.strip() and word and width(joined) > most:
            yield line.rstrip()
            line = " " * hang + word
        else:
            line = joined
    yield line


def _columns(character: str) -> int:
    if unicodedata.combining(character) or character in "\u200c\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
