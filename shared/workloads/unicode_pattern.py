"""Regular expressions of `tokenizer.json` files for Python's `re`, which lacks the Unicode classes such as `\\p{L}`."""

import re
import sys
import unicodedata
from functools import lru_cache
from itertools import groupby

_CLASS = re.compile(r"\\([pP])(?:\{(\^?)([A-Za-z]{1,2})\}|([A-Z]))")


class UnreadablePattern(ValueError):
    """The pattern is not one that can be read here."""


@lru_cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Raises UnreadablePattern."""
    try:
        return re.compile(_translated(pattern))
    except (re.error, OverflowError) as exc:
        raise UnreadablePattern(f"the pattern {pattern[:200]!r} cannot be read: {exc}") from exc


def _translated(pattern: str) -> str:
    """The pattern with the characters of each Unicode class written out."""
    found, position, inside = [], 0, False
    while position < len(pattern):
        if match := _CLASS.match(pattern, position):
            letter, caret, long, short = match.groups()
            ranges = _ranges(long or short, negated=(letter == "P") != bool(caret))
            found.append(ranges if inside else f"[{ranges}]")
            position = match.end()
            continue
        width = 2 if pattern[position] == "\\" else 1
        part = pattern[position : position + width]
        if part == "[" and inside:
            # A set within a set, which `re` would take for the character.
            raise UnreadablePattern(f"the pattern {pattern[:200]!r} has a set within a set")
        inside = part == "[" or (inside and part != "]")
        found.append(part)
        position += width
    return "".join(found)


@lru_cache
def _ranges(category: str, *, negated: bool) -> str:
    """The characters of a general category (`Lu`) or a group of them (`L`), as within the brackets of a set."""
    if category[0] not in "LMNPSZC":
        raise UnreadablePattern(f"the class {category!r} is not known")
    matching = [
        (unicodedata.category(chr(point)).startswith(category) != negated) for point in range(sys.maxunicode + 1)
    ]
    found, point = [], 0
    for is_in, run in groupby(matching):
        length = sum(1 for _ in run)
        if is_in:
            found.append(f"\\U{point:08x}-\\U{point + length - 1:08x}")
        point += length
    return "".join(found)
