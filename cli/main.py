"""The `llmbench` program and its commands. Each command imports slow modules only when it is called."""

from typing import Annotated

import typer

from cli.commands import (
    audit,
    baseline,
    benchmarks,
    budgets,
    calibrate,
    catalog,
    compare,
    curve,
    datasets,
    demo,
    exports,
    gate,
    keys,
    run,
    spend,
    system,
    up,
    webhooks,
)
from cli.exits import EPILOG
from cli.group import Commands
from cli.terminal.help import Command
from cli.terminal.output import choose_colours

app = typer.Typer(
    name="llmbench",
    cls=Commands,
    help="Measure LLM endpoints: time to first token, latency, throughput and cost, stored and reproducible.",
    epilog=EPILOG,
    no_args_is_help=True,
    # Plain help is 0.3 s faster, and looks the same in a terminal, a pipe and the docs.
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

app.command(cls=Command, short_help="Start API, worker, database, queue and simulator on this machine.")(up.up)
app.command(cls=Command, epilog=EPILOG)(run.run)
app.command(cls=Command, short_help="Run a first benchmark against the simulator, without any set-up.")(demo.demo)
app.command(cls=Command, epilog=EPILOG, short_help="Judge a benchmark that has ended by the rules of a CI.")(gate.gate)
app.add_typer(baseline.app, name="baseline")
app.command("list", cls=Command)(benchmarks.list_benchmarks)
app.command(cls=Command)(benchmarks.show)
app.command(cls=Command, short_help="Show throughput against latency by load, and the knee.")(curve.curve)
app.command(cls=Command, short_help="Export a benchmark as CSV, JSON Lines, JSON or Parquet.")(exports.export)
app.command("import", cls=Command, short_help="Import a benchmark that was exported as JSON.")(exports.import_file)
app.command(cls=Command, short_help="Write a report as one HTML file.")(exports.report)
app.command(cls=Command, short_help="Compare benchmarks, with how sure their differences are.")(compare.compare)
app.command(cls=Command)(benchmarks.rerun)
app.command(cls=Command)(benchmarks.cancel)
app.command(cls=Command)(benchmarks.delete)
app.command(cls=Command, short_help="Search the models of the price list.")(catalog.models)
app.command(cls=Command, short_help="List the endpoints that benchmarks can go to.")(catalog.providers)
app.command(cls=Command, short_help="List the workers, and up to which load they measure exactly.")(catalog.workers)
app.command(cls=Command, short_help="Find out up to which load this host measures exactly.")(calibrate.calibrate)
app.command(cls=Command, short_help="List who changed what on a server.")(audit.audit)
app.add_typer(datasets.app, name="datasets")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(keys.app, name="keys")
app.command(cls=Command, short_help="Show which owner and scope the server gives you.")(keys.whoami)
app.command(cls=Command, short_help="Show what was spent, by model, key, day, owner or benchmark.")(spend.spend)
app.add_typer(budgets.app, name="budgets")
app.command(cls=Command, short_help="Run the simulator: an LLM endpoint with known timing.")(system.simulate)
app.command(cls=Command)(system.migrate)
app.command(cls=Command)(system.version)


def _print_version(value: bool) -> None:
    if value:
        system.version()
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    force_color: Annotated[str | None, typer.Option(envvar="FORCE_COLOR", hidden=True)] = None,
    no_color: Annotated[str | None, typer.Option(envvar="NO_COLOR", hidden=True)] = None,
) -> None:
    choose_colours(force_color, no_color)


if __name__ == "__main__":
    app()
