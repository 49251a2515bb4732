"""Prints a list of a server, for the commands that list things page by page."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

from cli.terminal.output import QUIET, Line, note, write, write_json

Json = dict[str, Any]


def write_list(
    listed: tuple[list[Json], bool],
    lines: Callable[[list[Json]], Iterable[Line]],
    *,
    as_json: bool,
    nothing: str,
    order: Literal["first", "newest"] = "first",
) -> None:
    """`listed`: the items, and whether there are more. `lines` makes a table of them; `nothing` says there are none."""
    items, more = listed
    if as_json:
        write_json(items)
    elif items:
        write(lines(items))
    else:
        note(nothing)
    if more:
        note(f"the {order} {len(items):,}; --limit lists more", QUIET)
