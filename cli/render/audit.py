"""The audit log as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from cli.render.numbers import UNKNOWN, instant
from cli.render.table import table
from cli.terminal.output import Line, clean

_TITLES = ("at (UTC)", "action", "target", "who", "owner", "details")
# What a narrow terminal does without, first to last.
_SPARE = ("details", "owner")


def audit_lines(entries: Sequence[Mapping[str, Any]], columns: int | None = None) -> list[Line]:
    """One row for each entry. `columns`: see `table`."""
    return table(
        _TITLES,
        [_row(entry) for entry in entries],
        fit=(_TITLES.index("details"), _TITLES.index("target")),
        drop=[_TITLES.index(title) for title in _SPARE],
        columns=columns,
    )


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    key = entry["key_id"]
    return (
        instant(entry["at"]),
        clean(entry["action"]),
        clean(f"{entry['kind']} {entry['target']}".strip()),
        # A session belongs to a key as well.
        clean(entry["via"] if key is None else f"{entry['via']} {key}"),
        clean(entry["owner"]),
        clean(_details(entry["details"])) or UNKNOWN,
    )


def _details(details: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in details.items())


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
