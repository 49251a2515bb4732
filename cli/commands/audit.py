"""`llmbench audit`: who changed what on a server, and when."""

from typing import Annotated

import typer

from cli.options.common import AsJson, Server
from cli.server.here import server_or_default
from cli.terminal.listing import write_list


def audit(
    action: Annotated[
        str | None, typer.Option(help="Only this action, such as benchmark.deleted.", show_default=False)
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only things of this kind, such as benchmark.", show_default=False)
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="ID", help="Only the thing with this id or name.", show_default=False)
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY_ID", help="Only what was done with this key.", show_default=False)
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Only from this date on, in UTC.", show_default=False)
    ] = None,
    before: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Only before this date, in UTC.", show_default=False)
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="Entries of this owner; '*': of all owners.", show_default="that of your key")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="List at most this many.")] = 20,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """List who changed what, newest first. Needs a key with the scope admin, if there are keys.

    An entry is stored together with its change, and stays when the thing is deleted.
    """
    from cli.render.audit import audit_lines
    from cli.server.client import Client

    where = {"action": action, "kind": kind, "target": target, "key_id": key, "from": since, "to": before}
    with Client(server_or_default(server)) as client:
        listed = client.audit(limit, **where, owner=owner)
    nothing = "no entries" if owner is not None else "no entries of your owner: `--owner '*'` lists those of all"
    write_list(listed, audit_lines, as_json=as_json, nothing=nothing, order="newest")
