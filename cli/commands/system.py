"""`llmbench simulate`, `migrate`, `version`: commands that need no server."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.exits import CliError, ExitCode
from cli.terminal.output import clean, note


def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65_535, help="0 picks a free port.")] = 8765,
    request_log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append a JSON line for each ended request.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the jitter.")] = 0,
    ttft_ms: Annotated[
        float, typer.Option(metavar="MS", min=0, max=86_400_000, help="Time to first token, in ms.")
    ] = 200,
    gap_ms: Annotated[
        float, typer.Option(metavar="MS", min=0, max=86_400_000, help="Time between tokens, in ms.")
    ] = 20,
    tokens: Annotated[int, typer.Option(metavar="N", min=0, max=1_000_000, help="Output tokens of an answer.")] = 16,
    options: Annotated[
        str | None,
        typer.Option(
            metavar="OPTIONS",
            help="Further defaults, written as in a model name: slots8-prefill250-batch0.1.",
            show_default=False,
        ),
    ] = None,
    require_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Answer 401 to every other API key.", show_default=False)
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Speak TLS with this PEM chain, which may hold its key too.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="The key of --tls-certificate.")] = None,
) -> None:
    """Run the simulator: an LLM endpoint with known timing that speaks the Anthropic and OpenAI protocols.

    It serves any model name. `sim-OPTION-OPTION-…`, as in sim-ttft50-gap5-n64-rst3, chooses timing and faults:
    docs/simulator.md lists the options. SIGTERM or Ctrl-C ends it.
    """
    from simulator.main import default_options, serve
    from simulator.profile import Profile

    try:
        given = Profile() if options is None else default_options(options)
    except ValueError as exc:
        raise CliError(f"--options: {exc}", ExitCode.USAGE) from exc
    defaults = replace(given, ttft_ms=ttft_ms, gap_ms=gap_ms, tokens=tokens)
    try:
        serve(
            host,
            port,
            request_log=request_log,
            seed=seed,
            defaults=defaults,
            require_key=require_key,
            tls_certificate=tls_certificate,
            tls_key=tls_key,
        )
    except OSError as exc:
        # The address is in use, the log file cannot be opened, or the certificate is not valid.
        raise CliError(f"the simulator cannot start: {exc}", ExitCode.USAGE) from exc


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 if the schema is not the newest.")
    ] = False,
) -> None:
    """Bring the database at DATABASE_URL to the newest schema."""
    from cli.database import migrate as upgrade
    from cli.database import missing_migrations, shown
    from shared.db.connection.postgresql_url import ignored_parameters
    from shared.settings import load_settings

    url = load_settings().database_url
    if ignored := ignored_parameters(url):
        note(f"warning: these parameters of DATABASE_URL have no effect: {', '.join(map(clean, ignored))}")
    if check:
        missing = missing_migrations(url)
        if missing is not None:
            raise CliError(missing, ExitCode.FAILED)
    else:
        upgrade(url)
    sys.stdout.write(f"{shown(url)} has the newest schema\n")


def version() -> None:
    """Print the version."""
    from shared.version import __version__

    sys.stdout.write(f"llmbench {__version__}\n")
