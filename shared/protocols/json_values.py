"""Reads values from a provider's JSON, in which any field may be missing or have another type."""

from typing import Any

import orjson

from shared.protocols.events import Failure


def load_object(text: str) -> dict[str, Any] | Failure:
    """The JSON object in a text, or a failure if it holds none."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        # Models emit lone surrogates, which orjson refuses. The measurer replaces them.
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
    """A count as the provider gave it; None, for unknown, if it is not a whole number >= 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def answer_id(document: dict[str, Any]) -> str | None:
    """The `id` of an answer, cut to the length that is stored."""
    return text_of(document.get("id"))[:200] or None


def text_of(value: Any) -> str:
    """The text of a field; empty if it is missing, null or of another type."""
    return value if isinstance(value, str) else ""
