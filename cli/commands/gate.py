"""`llmbench gate`: the rules of `--fail-if` for a benchmark that has ended."""

from typing import Annotated

import typer

from cli.exits import usage
from cli.options import gate as gate_options
from cli.options.common import BenchmarkId, Server
from cli.server.here import server_or_default
from cli.terminal.output import Line, clean, write, write_json
from shared.benchmark.status import TERMINAL


def gate(
    benchmark_id: BenchmarkId,
    fail_if: gate_options.FailIf = None,
    baseline: gate_options.Baseline = None,
    junit: gate_options.Junit = None,
    summary: gate_options.Summary = None,
    strict: gate_options.Strict = False,
    server: Server = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the verdicts, as JSON.")] = False,
) -> None:
    """Judge a benchmark that has ended, as `run` does with the same options.

    It exits with 1 if a rule fails, with 5 if one is undecided, and with 6 if a budget stopped the run.
    """
    from cli.gating import gate_of
    from cli.render.gate import gate_lines
    from cli.server.client import Client

    asked = gate_of(fail_if or [], baseline, junit, summary, strict=strict)
    if asked is None:
        raise usage("name at least one rule with --fail-if, or a --baseline")
    url = server_or_default(server)
    with Client(url) as client:
        benchmark = client.benchmark(benchmark_id, "none")
        if benchmark["status"] not in TERMINAL:
            raise usage(f"benchmark {benchmark_id} is {benchmark['status']}: judge it when it has ended")
        pinned = asked.pinned(client)
        if pinned is not None and pinned.benchmark_id == benchmark_id:
            raise usage(f"benchmark {benchmark_id} is the baseline itself")
        report = asked.judged(client, benchmark, pinned, client.url)
    if as_json:
        write_json(report.document())
    else:
        write(
            [Line(clean(f"{benchmark['name']}, benchmark {benchmark_id}: {benchmark['status']}")), *gate_lines(report)]
        )
    asked.write(report)
    raise typer.Exit(report.exit_code)
