"""What `llmbench run` does with a benchmark that its flags and files describe: runs it, or estimates it."""

from collections.abc import Callable
from typing import Any

import typer

from cli.exits import usage
from cli.gate.report import Report
from cli.gating import Gate
from cli.options import spec as specs
from cli.options.common import SERVER_ENV
from cli.outcome import show_to_end
from cli.render.estimate import dry_run_lines
from cli.server.answers import Json
from cli.server.client import Client
from cli.server.here import server_for_run
from cli.server.target import target
from cli.stop import Stop
from cli.terminal.output import WARNING, clean, note, write, write_json


def run_to_end(
    body: dict[str, Any],
    server: str | None,
    *,
    detach: bool,
    as_json: bool,
    results: bool,
    explain: bool,
    gate: Gate | None = None,
) -> None:
    """Submits it, follows it to its end, judges it and exits.

    `server` None: the one that is up here, or a stack for this run.
    """
    with Stop() as stop:
        if server is None:
            server = server_for_run(body, stop.pause)
        if server is None:
            if body.get("webhook_url"):
                raise usage(
                    f"--webhook needs a server that stays and tries again: `llmbench up`, --server or {SERVER_ENV}"
                )
            if detach:
                raise usage(f"--detach needs a server that keeps running: `llmbench up`, --server URL or {SERVER_ENV}")
            specs.check(body)
        with target(server, stop, check_ready=not detach) as where:
            # Before the run: a baseline that does not exist must not be found out after it.
            judge = None if gate is None else _judge(gate, where.client, server)
            submitted = where.client.submit(body)
            _tell_secret(submitted)
            _tell_budgets(submitted)
            code = show_to_end(
                where,
                submitted,
                stop,
                detach=detach,
                as_json=as_json,
                results=results,
                explain=explain,
                judge=judge,
            )
    raise typer.Exit(code)


def _judge(gate: Gate, client: Client, server: str | None) -> Callable[[Json], Report]:
    pinned = gate.pinned(client)
    # A stack for this run is gone when somebody follows a link.
    url = None if server is None else client.url

    def judge(benchmark: Json) -> Report:
        report = gate.judged(client, benchmark, pinned, url)
        gate.write(report)
        return report

    return judge


def show_estimate(body: dict[str, Any], server: str | None, *, as_json: bool) -> None:
    """Checks it and prints what it would send, take and cost. Nothing is stored."""
    with Stop() as stop:
        if server is None:
            server = server_for_run(body, stop.pause)
        if server is None:
            specs.check(body)
        with target(server, stop, check_ready=False) as where:
            checked = where.client.estimate(body)
    write_json(checked) if as_json else write(dry_run_lines(checked))


def _tell_secret(benchmark: dict[str, Any]) -> None:
    """The API tells the secret of a webhook only in its answer to the submit."""
    webhook = benchmark["webhook"]
    if webhook and webhook.get("secret"):
        note(f"webhook secret, shown only now: {clean(webhook['secret'])}", WARNING)


def _tell_budgets(benchmark: dict[str, Any]) -> None:
    """What the estimate says, if a budget may stop the run."""
    estimate = benchmark.get("estimate") or {}
    for text in estimate.get("notes", ()) if estimate.get("budgets") else ():
        note(f"! {clean(text)}", WARNING)
