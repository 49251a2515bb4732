"""`llmbench keys create`, `list`, `revoke`, `bootstrap`, and `llmbench whoami`."""

import re
import sys
from datetime import timedelta
from typing import Annotated, Any, Literal

import typer

from cli.exits import usage
from cli.group import Commands
from cli.options.common import AsJson, Server
from cli.options.key_id import checked_key_id
from cli.server.api_key import KEY_ENV
from cli.server.here import server_or_default
from cli.terminal.confirm import may_delete
from cli.terminal.help import Command
from cli.terminal.listing import write_list
from cli.terminal.output import QUIET, WARNING, Line, clean, note, write, write_json

app = typer.Typer(
    cls=Commands,
    help="Make, list and revoke the API keys of a server.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Scope = Literal["read", "run", "admin"]
_MOST = 10_000
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@app.command(cls=Command)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For people: who or what uses the key.")],
    scope: Annotated[
        Scope, typer.Option(help="read; run: also start and change things; admin: also keys, and other owners.")
    ] = "run",
    owner: Annotated[
        str, typer.Option(metavar="OWNER", help="Team that the key belongs to. A new name makes a new owner.")
    ] = "default",
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="Days from now, such as 90d, or a date such as 2030-01-31.", show_default="never"
        ),
    ] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Limit of requests.", show_default="the server's")
    ] = None,
    concurrent_requests: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Limit of requests at a time.", show_default="the server's")
    ] = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key and print it, once: the server keeps only a hash.

    The key alone is on stdout, so that it can be piped to a secret store. Needs a key with the scope admin.
    """
    from cli.server.key_client import KeyClient

    body = {
        "name": name,
        "scope": scope,
        "owner": owner,
        "expires_at": _instant_of(expires),
        "requests_per_minute": requests_per_minute,
        "concurrent_requests": concurrent_requests,
    }
    with KeyClient(server_or_default(server)) as client:
        made = client.create(body)
    if as_json:
        write_json(made)
    else:
        _show_new(made["key"], made)
    if made["notice"]:
        note(clean(made["notice"]), WARNING)


@app.command("list", cls=Command)
def list_keys(
    owner: Annotated[
        str, typer.Option(metavar="OWNER", help="Only keys of this owner.", show_default="all owners")
    ] = "*",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=_MOST, help="List at most this many.")] = 200,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """List API keys by owner, revoked and expired ones too. Needs a key with the scope admin."""
    from cli.render.keys import key_lines
    from cli.server.key_client import KeyClient

    with KeyClient(server_or_default(server)) as client:
        listed = client.keys(limit, owner)
    write_list(listed, key_lines, as_json=as_json, nothing="no keys: `llmbench keys create NAME` makes one")


@app.command(cls=Command)
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY-ID", help="The characters between lbk_ and the next _.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Revoke the last admin key without asking.")] = False,
    server: Server = None,
) -> None:
    """Revoke an API key: it is refused from now on. Needs a key with the scope admin.

    It asks before it revokes the last usable key with that scope.
    """
    from cli.server.key_client import KeyClient

    checked_key_id(key_id)
    with KeyClient(server_or_default(server)) as client:
        admins = [item["id"] for item in client.keys(_MOST)[0] if (item["scope"], item["state"]) == ("admin", "usable")]
        if admins == [key_id]:
            note(
                "this is the last usable admin key: without one, nobody can make or revoke keys at this server. Only "
                "`llmbench keys bootstrap`, beside its database, makes another.",
                WARNING,
            )
            if not may_delete(lambda: f"Revoke {key_id}?", yes=yes, verb="revoke"):
                return
        client.revoke(key_id)
    write([Line(f"key {key_id} is revoked")])


@app.command(cls=Command)
def bootstrap(
    name: Annotated[str, typer.Option(metavar="NAME", help="For people: who uses the key.")] = "bootstrap",
    another: Annotated[
        bool, typer.Option("--another", help="Make one although an admin key is usable, because it was lost.")
    ] = False,
) -> None:
    """Make a first admin key in the database at DATABASE_URL, and print it, once.

    It needs no server and no key, only the database. It reads SECRET_KEY as the API does. From then on, every request
    to an API on this database needs a key.
    """
    from cli.database import bootstrap_key, shown
    from shared.db.access.keys import MAX_NAME_CHARS
    from shared.settings import load_settings

    if not 0 < len(name.strip()) <= MAX_NAME_CHARS or not name.isprintable():
        raise usage(f"--name must have 1 to {MAX_NAME_CHARS} printable characters")
    settings = load_settings()
    row, text = bootstrap_key(settings, name, another=another)
    _show_new(text, {"id": row.id, "owner": row.owner, "scope": row.scope})
    same = "" if settings.secret_key is None else " with the same SECRET_KEY"
    apis = f"{shown(settings.database_url)}{same}"
    note(f"it is for APIs on {apis}: from now on, each request to them needs a key", QUIET)


def whoami(server: Server = None, as_json: AsJson = False) -> None:
    """Show which owner and scope the server gives this command by its API key."""
    from cli.render.keys import whoami_lines
    from cli.server.key_client import KeyClient

    with KeyClient(server_or_default(server)) as client:
        told = client.whoami()
        write_json(told) if as_json else write(whoami_lines(told, client.url))


def _show_new(text: str, key: dict[str, Any]) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    note(f"key {key['id']} of {key['owner']}, scope {key['scope']}. It is shown only now: keep it in a secret store.")
    note(f"commands send it if it is in {KEY_ENV}, or in a file that --api-key-file names", QUIET)


def _instant_of(expires: str | None) -> str | None:
    """What the API takes. The server checks dates."""
    from shared.clock import wall_now

    days = _DAYS.fullmatch(expires or "")
    if expires is not None and days is None and not _DATE.match(expires):
        raise usage(f"--expires {expires!r}: must be days, such as 90d, or a date, such as 2030-01-31")
    if days is None:
        return expires
    try:
        return (wall_now() + timedelta(days=int(days[1]))).isoformat(timespec="seconds")
    except OverflowError:
        raise usage(f"--expires {expires}: is too far away") from None
