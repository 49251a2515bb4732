"""Values out of a provider's JSON, which may lack any field or hold another type in it."""

from typing import Any

import orjson

from shared.protocols.events import Failure


def load_object(text: str) -> dict[str, Any] | Failure:
    """A JSON object, or the failure to be one."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        # orjson is strict about lone surrogates, which models do emit; the measurer replaces them.
        return _load_leniently(text)
    return document if isinstance(document, dict) else _malformed(text)


def _load_leniently(text: str) -> dict[str, Any] | Failure:
    import json

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _malformed(text)
    return document if isinstance(document, dict) else _malformed(text)


def _malformed(text: str) -> Failure:
    return Failure("malformed_event", f"not a JSON object: {text[:200]!r}")


def optional_int(value: Any) -> int | None:
    """A count as the provider gave it; anything else is unknown."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def answer_id(document: dict[str, Any]) -> str | None:
    """An `id` field, within the length that is stored."""
    return text_of(document.get("id"))[:200] or None


def text_of(value: Any) -> str:
    """A text field that may be missing, null or of another type."""
    return value if isinstance(value, str) else ""
