"""`llmbench baseline set`, `list`, `show`, `delete`: names for the benchmarks that later ones are compared with."""

from typing import Annotated

import typer

from cli.group import Commands
from cli.options.baseline_name import checked_name
from cli.options.common import AsJson, BenchmarkId, Server
from cli.server.here import server_or_default
from cli.terminal.help import Command
from cli.terminal.listing import write_list
from cli.terminal.output import Line, clean, write, write_json

app = typer.Typer(
    cls=Commands,
    help="Name the benchmarks that later ones are compared with.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the baseline.")]


@app.command("set", cls=Command)
def set_baseline(name: Name, benchmark_id: BenchmarkId, server: Server = None, as_json: AsJson = False) -> None:
    """Give a name to a completed benchmark. A name that exists moves to it.

    The benchmark cannot be deleted while it has a name.
    """
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:
        baseline = client.set_baseline(checked_name(name), benchmark_id)
    write_json(baseline) if as_json else write([_line(baseline)])


@app.command("list", cls=Command)
def list_baselines(
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="List at most this many.")] = 100,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """List baselines by name."""
    from cli.render.lists import baseline_lines
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:
        listed = client.baselines(limit)
    write_list(
        listed, baseline_lines, as_json=as_json, nothing="no baselines: `llmbench baseline set NAME ID` makes one"
    )


@app.command(cls=Command)
def show(name: Name, server: Server = None, as_json: AsJson = False) -> None:
    """Show which benchmark a name stands for."""
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:
        baseline = client.baseline(checked_name(name))
    write_json(baseline) if as_json else write([_line(baseline)])


@app.command(cls=Command)
def delete(name: Name, server: Server = None) -> None:
    """Delete a name and keep its benchmark."""
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:
        client.delete_baseline(checked_name(name))
    write([Line(f"baseline {name} is deleted; its benchmark stays")])


def _line(baseline: dict[str, str]) -> Line:
    what = f"{baseline['benchmark_name']}, {baseline['model']} at {baseline['provider']}"
    return Line(clean(f"baseline {baseline['name']} is benchmark {baseline['benchmark_id']} ({what})"), hang=2)
