"""API keys as a table, and who the caller is."""

from collections.abc import Iterator, Sequence
from typing import Any

from cli.render.numbers import UNKNOWN, instant
from cli.render.pairs import pair
from cli.render.table import table
from cli.terminal.output import Line, clean


def key_lines(keys: Sequence[dict[str, Any]]) -> list[Line]:
    """One row for each key."""
    header = ("id", "owner", "name", "scope", "state", "last used (UTC)", "expires (UTC)", "created (UTC)")
    rows = [
        (
            item["id"],
            item["owner"],
            clean(item["name"]),
            item["scope"],
            item["state"],
            instant(item["last_used_at"]),
            instant(item["expires_at"]),
            instant(item["created_at"]),
        )
        for item in keys
    ]
    return table(header, rows, fit=(2, 1), drop=(7, 6, 5))


def whoami_lines(told: dict[str, Any], url: str) -> Iterator[Line]:
    """Who the server takes the caller for."""
    yield pair("Server", url)
    yield pair("Owner", told["owner"])
    yield pair("Scope", told["scope"])
    if told["key_id"] is None:
        yield pair("Key", "none: this server has no keys, so everyone on its machine may do everything")
    else:
        yield pair("Key", f"{told['key_id']} ({clean(told['key_name'] or UNKNOWN)})")
        yield pair("Expires", instant(told["expires_at"]) if told["expires_at"] else "never")
