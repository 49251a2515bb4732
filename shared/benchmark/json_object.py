"""JSON objects that callers write freely: their size is bounded, and every part can be stored."""

from typing import Any

import orjson

from shared.text import unstorable_parts


def check_object(value: dict[str, Any], max_bytes: int) -> None:
    """Raises ValueError that names the part which cannot be stored, or says that the object is too large."""
    # The size comes first: it is known at once, and what is too large is not looked at any further.
    try:
        size = len(orjson.dumps(value))
    except (orjson.JSONEncodeError, RecursionError):
        size = None
    if size is not None and size > max_bytes:
        raise ValueError(f"must be at most {max_bytes} bytes as JSON, is {size}")
    for path, problem in unstorable_parts(value):
        raise ValueError(f"{path.lstrip('.') or 'object'} {problem}")
    if size is None:
        raise ValueError("holds a number beyond 64 bits or is nested too deeply")
