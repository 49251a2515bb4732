"""Metadata in a text area: `key=value` on each line, or a JSON object. Both ways."""

import json
from collections.abc import Mapping
from typing import Any

from api.pages.forms.json_text import Unreadable, json_value


def metadata_of(text: str) -> dict[str, Any]:
    """Raises Unreadable."""
    if text.lstrip().startswith("{"):
        found = json_value(text)
        if not isinstance(found, dict):
            raise Unreadable("must be a JSON object, or key=value on each line")
        return found
    pairs: dict[str, Any] = {}
    for number, line in enumerate(text.split("\n"), 1):
        key, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not equals or not key.strip():
            raise Unreadable(f"line {number} must be key=value")
        pairs[key.strip()] = value.strip()
    return pairs


def text_of(metadata: Mapping[str, Any]) -> str:
    """The text area's content: lines if they keep each character, JSON otherwise."""
    lines = "\n".join(f"{key}={value}" for key, value in metadata.items())
    try:
        if metadata_of(lines) == dict(metadata) and "\r" not in lines:
            return lines
    except Unreadable:
        pass
    return json.dumps(metadata, ensure_ascii=False, indent=2)
