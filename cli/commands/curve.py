"""`llmbench curve`: the load curve of a benchmark."""

from typing import Annotated

import typer

from cli.options.common import AsJson, BenchmarkId, OtherOwner, Server
from cli.server.here import server_or_default
from cli.terminal.output import write, write_json


def curve(
    benchmark_id: BenchmarkId,
    slo: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC:PERCENTILE:MS",
            help="Mark the highest load at which this percentile is at most so many ms, as in ttft_ms:p95:500; "
            "repeatable. By default, the SLOs of the benchmark count.",
        ),
    ] = None,
    owner: OtherOwner = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Show throughput against latency for each load that a benchmark measured, and where the knee is."""
    from cli.render.curve import curve_lines
    from cli.server.client import Client

    with Client(server_or_default(server), owner=owner) as client:
        found = client.curve(benchmark_id, slo or [])
    if as_json:
        write_json(found)
    else:
        write(curve_lines(found))
