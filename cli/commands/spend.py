"""`llmbench spend`: what was spent."""

from typing import Annotated, Literal

import typer

from cli.options.common import AsJson, Server
from cli.server.here import server_or_default
from cli.terminal.output import QUIET, note, write, write_json


def spend(
    by: Annotated[
        Literal["key", "model", "day", "owner", "benchmark"], typer.Option(help="What each row adds up.")
    ] = "model",
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="First day in UTC, as in 2026-11-01. By default of this month."),
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day. By default today.")] = None,
    owner: Annotated[
        str | None, typer.Option(metavar="NAME", help="For admins: what this owner spent; `*` for all owners.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1_000, help="List at most this many.")] = 100,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Show what was spent, the largest sums first.

    Requests of unknown cost count with the most that they can have cost.
    """
    from cli.render.money import spend_lines
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:
        found = client.spend({"by": by, "from": first, "to": last, "owner": owner, "limit": f"{limit}"})
    if as_json:
        write_json(found)
    elif found["items"]:
        write(spend_lines(found))
    if not as_json:
        unit = "nothing was spent" if not found["items"] else "US dollars"
        note(f"{unit}, from {found['from']} to {found['to']} (UTC)", QUIET)
    if found["has_more"]:
        note(f"the first {len(found['items']):,}; --limit lists more", QUIET)
