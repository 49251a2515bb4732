"""JSON that people type into a form, read with the bounds of a JSON body."""

import json
from typing import Any

from api.http.json_bounds import JsonBounds, TooComplex

# What all texts of one form field may take in memory.
MAX_TEXT_BYTES = 64_000_000


class Unreadable(ValueError):
    """The text is not what its field expects. `str()` says what is wrong."""


def json_value(text: str) -> Any:
    """The value of a JSON text. Raises Unreadable."""
    _check_shape(text)
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        raise Unreadable(f"is not JSON: {exc.msg} in line {exc.lineno}, column {exc.colno}") from None
    except ValueError:
        # Python refuses numbers of thousands of digits.
        raise Unreadable("is not JSON: a number is too long") from None


def json_lines(text: str) -> list[Any]:
    """A JSON value on each line that is not blank. Raises Unreadable."""
    _check_shape(text)
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except ValueError as exc:
                why = exc.msg if isinstance(exc, json.JSONDecodeError) else "a number is too long"
                raise Unreadable(f"line {number} is not JSON: {why}") from None
    return found


def _check_shape(text: str) -> None:
    """Before it is parsed: a small text can become many objects."""
    try:
        JsonBounds(MAX_TEXT_BYTES).feed(text.encode("utf-8", "surrogatepass"))
    except TooComplex as exc:
        raise Unreadable(str(exc)) from None
