"""`llmbench export`, `import`, `report`: data as files."""

from pathlib import Path
from typing import Annotated

import typer

from cli import complete
from cli.exits import usage
from cli.options.common import AsJson, BenchmarkId, OtherOwner, Server
from cli.server.here import server_or_default
from cli.terminal.output import QUIET, Line, clean, note, write, write_json
from shared.exports.names import FORMAT_OF_ENDING, PARTS, Format

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="File to write; `-` is stdout.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace the file if it exists.")]


def export(
    benchmark_id: BenchmarkId,
    format_name: Annotated[
        Format | None,
        typer.Option("--format", help="Format of the file.", show_default="by the ending of the file, else csv"),
    ] = None,
    output: Output = None,
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="PART", help=f"Add columns: {', '.join(PARTS)}. May be repeated, or separated by commas."),
    ] = None,
    warmup: Annotated[bool, typer.Option("--warmup", help="With the requests of the warm-up.")] = False,
    force: Force = False,
    owner: OtherOwner = None,
    server: Server = None,
) -> None:
    """Export a benchmark as CSV, JSON Lines, JSON, Parquet or a report of llm-d.

    Without --output, CSV and other text goes to stdout. Only `json` can be imported again; it has everything.
    """
    from cli.server.client import Client
    from cli.server.download import STDOUT, check_target, save

    target = output or STDOUT
    chosen = format_name or FORMAT_OF_ENDING.get(target.suffix.lower(), "csv")
    if chosen == "parquet" and output is None:
        raise usage("a Parquet file is no text for a terminal: add --output FILE, or --output -")
    parts = [part.strip() for text in include or [] for part in text.split(",") if part.strip()]
    for part in parts:
        if part not in PARTS:
            raise usage(f"--include {part}: must be one of {', '.join(PARTS)}")
    check_target(target, force=force)
    params = {"format": chosen, **({"include": ",".join(parts)} if parts else {})}
    if warmup:
        params["warmup"] = "true"
    with Client(server_or_default(server), owner=owner) as client:
        size = save(client, f"/benchmarks/{benchmark_id}/export", params, target)
    if target != STDOUT:
        note(f"{clean(str(target))}: {size:,} bytes", QUIET)


def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A JSON export.", exists=True, dir_okay=False, allow_dash=False)
    ],
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Import a benchmark that was exported as JSON.

    The same content is stored once: the second import names the benchmark of the first.
    """
    from cli.server.client import Client

    try:
        with file.open("rb") as content, Client(server_or_default(server)) as client:
            benchmark, created = client.import_benchmark(content)
    except OSError as exc:
        raise usage(f"cannot read {file}: {exc.strerror or exc}") from exc
    if as_json:
        write_json(benchmark)
        return
    if not created:
        note("the same content was imported before", QUIET)
    write([Line(f"benchmark {benchmark['id']}: {clean(benchmark['name'])}")])


def report(
    benchmark_ids: Annotated[
        list[int],
        typer.Argument(
            min=1, metavar="IDS", autocompletion=complete.benchmark_ids, help="Ids of one to eight benchmarks."
        ),
    ],
    output: Output = None,
    force: Force = False,
    owner: OtherOwner = None,
    server: Server = None,
) -> None:
    """Write a report as one HTML file, which opens offline and prints well."""
    from cli.server.client import Client
    from cli.server.download import STDOUT, check_target, save

    target = output or Path(f"report-{'-'.join(map(str, benchmark_ids))}.html")
    check_target(target, force=force)
    with Client(server_or_default(server), owner=owner) as client:
        size = save(client, "/ui/report", {"ids": ",".join(map(str, benchmark_ids))}, target)
    if target != STDOUT:
        note(f"{clean(str(target))}: {size:,} bytes", QUIET)
