"""What a key allows its holder to do. A larger scope includes the smaller ones."""

from typing import Literal

Scope = Literal["read", "run", "admin"]

# From the smallest to the largest.
SCOPES: tuple[Scope, ...] = ("read", "run", "admin")


def includes(scope: Scope, needed: Scope) -> bool:
    """Whether the holder of `scope` may do what needs `needed`."""
    return SCOPES.index(scope) >= SCOPES.index(needed)
