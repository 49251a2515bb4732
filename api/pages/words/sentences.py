"""Texts and documents of the API as a page shows them."""

import json
import re
from typing import Any

from markupsafe import Markup, escape

FILTERS = ("sentence", "with_code", "as_json")

_CODE = re.compile(r"`([^`]+)`")


def sentence(text: str) -> str:
    """`the database does not answer` becomes `The database does not answer.`"""
    text = text.strip()
    if not text:
        return text
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


def as_json(value: Any) -> str:
    """A JSON document on several lines, as people read it. A template escapes it like every text."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def with_code(text: str) -> Markup:
    """What stands between backticks as code; everything is escaped."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704
