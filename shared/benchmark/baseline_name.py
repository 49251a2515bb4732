"""What a baseline may be called. The API and the command line use it."""

import re

# Digits alone would be taken for the id of a benchmark, wherever both are allowed.
NAME_PATTERN = r"^([a-z]|[0-9]+[a-z._-])[a-z0-9._-]*$"
MAX_CHARS = 100

_NAME = re.compile(NAME_PATTERN.removesuffix("$"))


def is_baseline_name(name: str) -> bool:
    return len(name) <= MAX_CHARS and _NAME.fullmatch(name) is not None
