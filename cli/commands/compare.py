"""`llmbench compare`: benchmarks with how sure their differences are."""

from typing import Annotated

import typer

from cli.options.common import AsJson, OtherOwner, Server
from cli.server.here import server_or_default
from cli.terminal.output import write, write_json


def compare(
    ids: Annotated[
        list[int], typer.Argument(metavar="ID ID…", min=1, help="Two to eight benchmarks; the first is the reference.")
    ],
    margin_percent: Annotated[
        float, typer.Option(metavar="PERCENT", min=0, help="Differences up to this share do not matter.")
    ] = 5,
    margin_ms: Annotated[
        float, typer.Option(metavar="MS", min=0, help="Nor do those of TTFT and latency up to this; the larger holds.")
    ] = 10,
    owner: OtherOwner = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Compare benchmarks: one sentence for each metric, with the 95 % interval of the difference.

    Two runs at different times are not a fair experiment: measure in turns, and compare a run with itself too.
    """
    from cli.render.comparison import comparison_lines
    from cli.server.client import Client

    margins = {"margin_percent": f"{margin_percent:g}", "margin_ms": f"{margin_ms:g}"}
    with Client(server_or_default(server), owner=owner) as client:
        found = client.comparison(ids, margins)
    if as_json:
        write_json(found)
    else:
        write(comparison_lines(found))
