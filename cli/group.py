"""What all commands share: an expected error ends the command with one message and the error's exit code."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from cli.exits import CliError, ExitCode, Interrupted
from cli.output import Line, clean, survive_any_encoding, write


class Commands(TyperGroup):
    """The commands of `llmbench`."""

    def invoke(self, ctx: Any) -> Any:
        survive_any_encoding()
        try:
            return super().invoke(ctx)
        except CliError as exc:
            report(exc)
            raise typer.Exit(exc.code) from None
        except (Interrupted, KeyboardInterrupt):
            write([Line("interrupted", "yellow")], sys.stderr)
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except SystemExit as exc:
            # `load_settings` ends a program this way, with a line for each wrong variable.
            if isinstance(exc.code, str):
                first, *rest = exc.code.splitlines()
                report(CliError(first, ExitCode.USAGE, [line.strip() for line in rest]))
                raise typer.Exit(ExitCode.USAGE) from None
            raise


def report(error: CliError) -> None:
    """Prints the error on stderr."""
    details = [Line(f"  {clean(detail)}") for detail in error.details]
    write([Line(f"error: {clean(error.message)}", "bold red"), *details], sys.stderr)
