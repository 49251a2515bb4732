"""Reads values from a provider's JSON, in which any field may be missing or have another type."""

import re
from typing import Any, Final

import orjson

# Stands for the document of a text that is not JSON. None stands for JSON's null.
NOT_JSON: Final = object()
_MOST_DIGITS = 300
# Words, and what may follow the digits of a number.
_WORDS = ("true", "false", "null", "NaN", "-Infinity", "Infinity", ".", "e-", "e+", "E-", "E+")
_OPEN_MARKER = re.compile(r"\[[\w -]*")
# `\\u` and four digits, for each half of a character.
_LONGEST_ESCAPE = 12


def load(text: str) -> Any:
    """The JSON document in a text; NOT_JSON if it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Models emit lone surrogates, which orjson refuses. The measurer replaces them.
        return _load_leniently(text)


def _load_leniently(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return NOT_JSON
    import json

    try:
        # Not strict: some servers write tabs into texts as they are.
        return json.loads(text, parse_int=_int, strict=False)
    except (ValueError, RecursionError):
        return NOT_JSON


def document_at(text: str, start: int) -> tuple[Any, int] | None:
    """The JSON document that begins at this place of a text, and where it ends; None if none begins there."""
    import json

    try:
        return json.JSONDecoder(parse_int=_int, strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return None


def may_break_off(text: str) -> bool:
    """Whether a text that is no JSON could be the first part of a JSON document, or of a marker such as `[DONE]`."""
    import json

    text = text.strip()
    if _OPEN_MARKER.fullmatch(text):
        return True
    try:
        json.loads(text, parse_int=_int, strict=False)
    except json.JSONDecodeError as exc:
        rest = text[exc.pos :]
        # A text is open, nothing is left, or what is left is the first part of an escape or of a word.
        return (
            exc.msg.startswith("Unterminated")
            or ("escape" in exc.msg and len(rest) <= _LONGEST_ESCAPE)
            or any(word.startswith(rest) for word in _WORDS)
        )
    except (ValueError, RecursionError):
        return False
    return False


def _int(digits: str) -> float | str:
    """A whole number; beyond 64 bits a float, as orjson reads it.

    One that no field can mean stays a text, because Python refuses to convert very long ones.
    """
    if len(digits) > _MOST_DIGITS:
        return digits
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else float(number)


def answer_id(document: dict[str, Any]) -> str | None:
    """The `id` of an answer, cut to the length that is stored."""
    return word_of(document.get("id"))


def word_of(value: Any) -> str | None:
    """A short text of a provider, such as a name or an id, cut to the length that is stored. None if there is none."""
    return text_of(value)[:200] or None


def text_of(value: Any) -> str:
    """The text of a field; empty if it is missing, null or of another type."""
    return value if isinstance(value, str) else ""


def object_of(value: Any) -> dict[str, Any]:
    """The JSON object of a field; empty if it is missing, null or of another type."""
    return value if isinstance(value, dict) else {}


def objects_of(value: Any) -> list[dict[str, Any]]:
    """The JSON objects in the list of a field; empty if it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def json_text(value: Any) -> str:
    """A value as JSON text; empty if it cannot be written as such."""
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError, RecursionError):
        return ""
