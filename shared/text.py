"""Text that every part can store: no NUL, no lone surrogate. Callers' bad text is refused, bad answers are repaired."""

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator

REPLACEMENT = "\ufffd"
# Names of a caller's fields are shown up to this length.
MAX_NAME_CHARS = 100


def refuse_unstorable(value: str) -> str:
    """Raises ValueError for text that PostgreSQL or UTF-8 cannot hold."""
    if "\x00" in value:
        raise ValueError("must not contain NUL (U+0000): PostgreSQL cannot store it")
    try:
        # Most texts are ASCII, and a check of that makes no copy.
        if not value.isascii():
            value.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise ValueError(
            f"must not contain a lone surrogate (at character {exc.start}): it is not valid text"
        ) from None
    return value


def replace_unstorable(value: str) -> tuple[str, bool]:
    """(text, replaced): the text with U+FFFD for each character that cannot be stored, and whether there was one."""
    safe = value.replace("\x00", REPLACEMENT)
    # The two halves of a surrogate pair may arrive in two events. Encoding as UTF-16 joins them.
    safe = safe.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return safe, REPLACEMENT in safe and safe != value


StorableText = Annotated[str, AfterValidator(refuse_unstorable)]


def unstorable_parts(value: Any) -> Iterator[tuple[str, str]]:
    """Yields (path, problem) for each part of a JSON value that cannot be stored: bad text, NaN, infinity."""
    for path, problem in _unstorable(value, ()):
        yield "".join(path), problem


def _unstorable(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Iterator[str], str]]:
    # A path is nested pairs until it is needed: texts of all paths would be as many times the value as it is deep.
    if isinstance(value, str):
        try:
            refuse_unstorable(value)
        except ValueError as exc:
            yield _shown(path), str(exc)
    elif isinstance(value, float) and not math.isfinite(value):
        yield _shown(path), "must be a finite number: NaN and Infinity are not JSON"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unstorable(key, (path, key))
            yield from _unstorable(item, (path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, (path, index))


def _shown(path: tuple[Any, ...]) -> Iterator[str]:
    if path:
        before, part = path
        yield from _shown(before)
        # A name may itself be unstorable or very long.
        yield f"[{part}]" if isinstance(part, int) else f".{ascii(part[:MAX_NAME_CHARS])[1:-1]}"
