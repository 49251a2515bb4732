"""What a list of benchmarks can be filtered by of their `metadata`: texts of the form `key:value`."""

import json
from collections.abc import Mapping
from typing import Any

# Longer ones are stored and returned, but not found. An index of PostgreSQL holds no longer texts.
MAX_PAIR_CHARS = 500


def metadata_pairs(metadata: Mapping[str, Any]) -> list[str]:
    """`key:value` of each field that has a text, a number, a boolean or null; the last three as JSON writes them."""
    pairs = (f"{key}:{_text(value)}" for key, value in metadata.items() if not isinstance(value, dict | list))
    # Once each: with a colon in a key, two fields may read the same.
    return [pair for pair in dict.fromkeys(pairs) if len(pair) <= MAX_PAIR_CHARS]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
