"""`llmbench budgets list`, `set`, `delete`: what keys and owners may spend."""

import math
from typing import Annotated, Literal

import typer

from cli.exits import usage
from cli.group import Commands
from cli.options.common import AsJson, Server
from cli.options.key_id import checked_key_id
from cli.server.here import server_or_default
from cli.terminal.help import Command
from cli.terminal.listing import write_list
from cli.terminal.output import Line, clean, write, write_json

app = typer.Typer(
    cls=Commands,
    help="Say what keys and owners may spend a day or a month.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

OwnerOption = Annotated[str | None, typer.Option("--owner", metavar="NAME", help="The budget of this owner.")]
KeyOption = Annotated[str | None, typer.Option("--key", metavar="ID", help="The budget of this key.")]
Per = Annotated[Literal["day", "month"], typer.Option("--per", help="What it holds for, in UTC.")]


@app.command("list", cls=Command)
def list_budgets(
    owner: Annotated[
        str | None, typer.Option(metavar="NAME", help="Those of this owner and its keys; `*` for all owners.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="List at most this many.")] = 200,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """List budgets with what is spent and left of each."""
    from cli.render.money import budget_lines
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:
        listed = client.budgets(limit, owner)
    none = "no budgets" if owner is not None else "no budgets of your owner (`--owner '*'` lists those of all)"
    write_list(
        listed,
        budget_lines,
        as_json=as_json,
        nothing=f"{none}: `llmbench budgets set 50 --owner NAME --per month` makes one",
    )


@app.command("set", cls=Command)
def set_budget(
    cap_usd: Annotated[float, typer.Argument(metavar="USD", help="The most that may be spent, in US dollars.")],
    owner: OwnerOption = None,
    key: KeyOption = None,
    per: Per = "month",
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Set the budget of an owner or a key.

    A changed budget holds at once. A new one holds for benchmarks that begin from now on, and counts what this day or
    month has spent already.
    """
    from cli.render.money import budget_line
    from cli.server.client import Client

    if not math.isfinite(cap_usd):
        raise usage("USD must be a number")
    path = _path(owner, key, per)
    with Client(server_or_default(server)) as client:
        budget = client.set_budget(path, cap_usd)
    write_json(budget) if as_json else write([budget_line(budget)])


@app.command(cls=Command)
def delete(owner: OwnerOption = None, key: KeyOption = None, per: Per = "month", server: Server = None) -> None:
    """Delete a budget. What was spent stays known."""
    from cli.server.client import Client

    path = _path(owner, key, per)
    with Client(server_or_default(server)) as client:
        client.delete_budget(path)
    who = f"owner {owner}" if key is None else f"key {key}"
    write([Line(clean(f"{who} has no budget for a {per} any more"))])


def _path(owner: str | None, key: str | None, per: str) -> str:
    """Where the API has this budget. Raises CliError."""
    from urllib.parse import quote

    if (owner is None) == (key is None):
        raise usage("name whose budget it is: --owner NAME or --key ID")
    kind, name = ("owners", owner) if key is None else ("keys", checked_key_id(key, "--key"))
    return f"{kind}/{quote(name or '', safe='')}/{per}"
