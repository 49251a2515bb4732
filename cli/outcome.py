"""Follows a submitted benchmark to its end, prints its numbers, and chooses the exit code."""

import sys
from collections.abc import Callable
from contextlib import suppress

from cli import waiting
from cli.exits import CliError, ExitCode, Interrupted
from cli.follow import follow
from cli.gate.report import Report
from cli.render.benchmark import benchmark_lines, notices, succeeded_entirely
from cli.render.gate import gate_lines
from cli.render.results import result_lines
from cli.server.answers import Json
from cli.server.client import Client
from cli.server.target import Target
from cli.server.whole import write_benchmark
from cli.stop import Stop
from cli.terminal.output import WARNING, Line, note, write, write_json
from shared.benchmark.status import TERMINAL

# Seconds to wait for a cancel; the API promises one.
_CANCEL_S = 10.0


def show_to_end(
    target: Target,
    benchmark: Json,
    stop: Stop,
    *,
    detach: bool = False,
    as_json: bool = False,
    results: bool = False,
    explain: bool = False,
    judge: Callable[[Json], Report] | None = None,
) -> ExitCode:
    """Follows a submitted benchmark and prints its numbers. With `detach` it only prints the id.

    `judge`: makes verdicts of the ended benchmark, which then decide the exit code.
    """
    if detach:
        write_json(benchmark) if as_json else write([f"{benchmark['id']}"])
        return ExitCode.OK
    ended, code = wait_to_end(target, benchmark, stop)
    # After Ctrl-C nobody waits for a verdict.
    report = None if judge is None or code is ExitCode.INTERRUPTED else judge(ended)
    print_benchmark(target.client, ended, as_json=as_json, results=results, explain=explain, report=report)
    return code if report is None else report.exit_code


def wait_to_end(target: Target, benchmark: Json, stop: Stop) -> tuple[Json, ExitCode]:
    """Waits for the benchmark to end, and cancels it if the user interrupts. Raises CliError."""
    try:
        ended = follow(target.client, benchmark, stop.pause, target.watch)
    except Interrupted:
        return _cancel(target.client, benchmark), ExitCode.INTERRUPTED
    return ended, exit_code(ended)


def exit_code(benchmark: Json) -> ExitCode:
    """The exit code for a benchmark that has ended."""
    if benchmark["status"] == "cancelled":
        return ExitCode.CANCELLED
    if not succeeded_entirely(benchmark):
        return ExitCode.FAILED
    return ExitCode.OK if benchmark.get("stopped") is None else ExitCode.BUDGET


def print_benchmark(
    client: Client,
    benchmark: Json,
    *,
    as_json: bool,
    results: bool = False,
    explain: bool = False,
    report: Report | None = None,
) -> None:
    """Prints a benchmark as a table, or as the API's JSON with the notices on stderr; then its verdicts."""
    if as_json:
        for notice in notices(benchmark):
            note(f"! {notice}", WARNING)
        write_benchmark(client, benchmark["id"], more={} if report is None else {"gate": report.document()})
        return
    lines = benchmark_lines(benchmark, client.failures(benchmark), explain=explain)
    if results:
        lines += [Line(""), *result_lines(client.results(benchmark["id"]))]
    if report is not None:
        lines += [Line(""), *gate_lines(report)]
    write(lines)


def _cancel(client: Client, benchmark: Json) -> Json:
    note("interrupted: cancelling the benchmark (interrupt again to leave at once)", WARNING)
    with suppress(CliError):  # the benchmark may have ended meanwhile
        benchmark = client.cancel(benchmark["id"])
    deadline = waiting.Deadline(_CANCEL_S)
    while benchmark["status"] not in TERMINAL and not deadline.passed:
        waiting.pause(0.1)
        benchmark = client.benchmark(benchmark["id"], "none")
    if benchmark["status"] not in TERMINAL:
        sys.stderr.write(f"benchmark {benchmark['id']} is still being cancelled\n")
    return benchmark
