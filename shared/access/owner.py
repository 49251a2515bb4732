"""Owners: the teams to which keys, benchmarks, datasets, webhooks, baselines and spending belong."""

import re

MAX_OWNER_CHARS = 63
OWNER = r"[a-z0-9][a-z0-9_-]{0,62}"
# Owns what was made without a key, and all that versions before keys made.
DEFAULT_OWNER = "default"
# What an admin asks for to see the rows of all owners. It is the name of none.
ALL_OWNERS = "*"

_OWNER = re.compile(OWNER)


def is_owner(name: str) -> bool:
    """Whether a text is a legal name of an owner."""
    return _OWNER.fullmatch(name) is not None
