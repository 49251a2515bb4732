"""Texts and documents of the API as a page shows them."""

import json
from typing import Any

FILTERS = ("sentence", "as_json")


def sentence(text: str) -> str:
    """`the database does not answer` becomes `The database does not answer.`"""
    text = text.strip()
    if not text:
        return text
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


def as_json(value: Any) -> str:
    """A JSON document on several lines, as people read it. A template escapes it like every text."""
    return json.dumps(value, ensure_ascii=False, indent=2)
