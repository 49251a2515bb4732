"""URLs that keep the state of a page: the same query with some parameters changed."""

from collections.abc import Iterable
from urllib.parse import urlencode


def with_query(path: str, pairs: Iterable[tuple[str, str]], **changes: str | None) -> str:
    """`path` with these pairs; a change replaces all of its name, None removes them. Empty values are left out."""
    kept = [(name, value) for name, value in pairs if value and name not in changes]
    kept += [(name, value) for name, value in changes.items() if value]
    return f"{path}?{urlencode(kept)}" if kept else path
