"""`llmbench list`, `show`, `rerun`, `cancel`, `delete`: benchmarks of a server."""

from typing import Annotated

import typer

from cli import complete
from cli.options.common import AsJson, BenchmarkId, Explain, ItsOwner, OtherOwner, Server, WithResults
from cli.server.here import server_or_default
from cli.terminal.confirm import may_delete
from cli.terminal.listing import write_list
from cli.terminal.output import Line, clean, write, write_json
from shared.benchmark.status import Status


def list_benchmarks(
    status: Annotated[Status | None, typer.Option(help="Only benchmarks with this status.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", autocompletion=complete.models, help="Only this model (exact id).")
    ] = None,
    provider: Annotated[
        str | None, typer.Option(autocompletion=complete.providers, help="Only this provider (exact name).")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only names that contain this text.")] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only with this in their metadata. May be repeated."),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="List at most this many.")] = 20,
    owner: OtherOwner = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """List benchmarks, newest first."""
    from cli.options import spec as specs
    from cli.render.lists import list_lines
    from cli.server.client import Client

    pairs = [f"{key}:{value}" for key, value in specs.pairs(metadata or [], "--metadata").items()]
    with Client(server_or_default(server), owner=owner) as client:
        listed = client.benchmarks(limit, status=status, model=model, provider=provider, name=name, metadata=pairs)
    write_list(listed, list_lines, as_json=as_json, nothing="no benchmarks", order="newest")


def show(
    benchmark_id: BenchmarkId,
    owner: OtherOwner = None,
    server: Server = None,
    as_json: AsJson = False,
    results: WithResults = False,
    timeline: Annotated[bool, typer.Option("--timeline", help="Show every event of every request.")] = False,
    explain: Explain = False,
) -> None:
    """Show a benchmark's numbers, its requests, or their events."""
    from cli.outcome import print_benchmark
    from cli.render.results import timeline_lines
    from cli.server.client import Client
    from cli.server.whole import write_benchmark

    with Client(server_or_default(server), owner=owner) as client:
        if as_json:
            write_benchmark(client, benchmark_id, "timeline" if timeline else "results")
            return
        benchmark = client.benchmark(benchmark_id, "none")
        print_benchmark(client, benchmark, as_json=False, results=results, explain=explain)
        if timeline:
            write(timeline_lines(client.results(benchmark_id, include="timeline")))


def rerun(
    benchmark_id: BenchmarkId,
    server: Server = None,
    detach: Annotated[bool, typer.Option("--detach", help="Submit it, print its id, and do not wait.")] = False,
    as_json: AsJson = False,
    results: WithResults = False,
    explain: Explain = False,
) -> None:
    """Run a benchmark again with the same spec and endpoint.

    It shows the numbers as `run` does. Ctrl-C cancels the new benchmark.
    """
    from cli.outcome import show_to_end
    from cli.server.target import target
    from cli.stop import Stop

    with Stop() as stop, target(server_or_default(server), stop, check_ready=not detach) as where:
        again = where.client.rerun(benchmark_id)
        code = show_to_end(where, again, stop, detach=detach, as_json=as_json, results=results, explain=explain)
    raise typer.Exit(code)


def cancel(benchmark_id: BenchmarkId, owner: ItsOwner = None, server: Server = None, as_json: AsJson = False) -> None:
    """Cancel a benchmark and keep its results."""
    from cli.server.client import Client

    with Client(server_or_default(server), owner=owner) as client:
        benchmark = client.cancel(benchmark_id)
    if as_json:
        write_json(benchmark)
        return
    is_over = benchmark["status"] == "cancelled"
    write([Line(f"benchmark {benchmark_id} {'is cancelled' if is_over else 'is being cancelled'}")])


def delete(
    benchmark_id: BenchmarkId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    owner: ItsOwner = None,
    server: Server = None,
) -> None:
    """Delete a benchmark and its results."""
    from cli.server.client import Client

    with Client(server_or_default(server), owner=owner) as client:

        def question() -> str:
            benchmark = client.benchmark(benchmark_id, "none")
            return f"Delete benchmark {benchmark_id} ({clean(benchmark['name'])}) and its results?"

        if not may_delete(question, yes=yes):
            return
        client.delete(benchmark_id)
    write([Line(f"benchmark {benchmark_id} is deleted")])
