"""Cursors of lists: the sort value and id of a page's last item. Rows that are added do not shift the next page."""

import base64
import binascii
from typing import Any

import orjson

from shared.errors import InvalidRequest


def encode_cursor(*parts: Any) -> str:
    """The parts as text that is safe in a URL."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type | tuple[type, ...]) -> tuple[Any, ...]:
    """The parts that `encode_cursor` was given. Raises InvalidRequest for anything else."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        parts = None
    if (
        not isinstance(parts, list)
        or len(parts) != len(types)
        or any(isinstance(part, bool) or not isinstance(part, kind) for part, kind in zip(parts, types, strict=True))
        # Ids are 64-bit; orjson reads unsigned ones too.
        or any(isinstance(part, int) and part >= 2**63 for part in parts)
        # PostgreSQL has no such text.
        or any(isinstance(part, str) and "\x00" in part for part in parts)
    ):
        raise wrong_cursor()
    return tuple(parts)


def wrong_cursor() -> InvalidRequest:
    """The error for a cursor that the list did not give."""
    return InvalidRequest.of("cursor", "is not a cursor of this list: take it from `next_cursor`", "invalid_cursor")
