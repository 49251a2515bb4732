"""What all commands share: an expected error ends the command with one message and the error's exit code.

Expected is also what the system says of files and streams, such as a full disk.
"""

import errno
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from cli.exits import CliError, ExitCode, Interrupted
from cli.terminal.help import write_commands
from cli.terminal.output import BAD, WARNING, Line, clean, write
from cli.terminal.streams import drop, open_missing, survive_any_encoding


class Commands(TyperGroup):
    """The commands of `llmbench`."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        write_commands(self, ctx, formatter)

    def main(self, *args: Any, **extra: Any) -> Any:
        has_stdout = open_missing()
        survive_any_encoding()
        try:
            if not has_stdout:
                raise OSError(errno.EBADF, "stdout is closed")
            try:
                return super().main(*args, **extra)
            finally:
                sys.stdout.flush()
        except OSError as exc:
            if exc.errno is None:
                # Not of the system: a deadline, for example.
                raise
            drop(sys.stdout)
            if isinstance(exc, BrokenPipeError):
                # Whoever reads stdout has seen enough.
                sys.exit(ExitCode.FAILED)
            of = f"{exc.filename}: " if exc.filename else ""
            try:
                report(CliError(f"input or output failed: {of}{exc.strerror}", ExitCode.USAGE))
                sys.stderr.flush()
            except OSError:
                drop(sys.stderr)
            sys.exit(ExitCode.USAGE)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CliError as exc:
            report(exc)
            raise typer.Exit(exc.code) from None
        except (Interrupted, KeyboardInterrupt):
            write([Line("interrupted", WARNING)], sys.stderr)
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except typer.BadParameter as exc:
            # pydantic's words, which typer passes on.
            exc.message = exc.message.removeprefix("Value error, ").replace("Input should be", "must be", 1)
            raise
        except SystemExit as exc:
            # `load_settings` ends a program this way, with a line for each wrong variable.
            if isinstance(exc.code, str):
                first, *rest = exc.code.splitlines()
                report(CliError(first, ExitCode.USAGE, [line.strip() for line in rest]))
                raise typer.Exit(ExitCode.USAGE) from None
            raise


def report(error: CliError) -> None:
    """Prints the error on stderr."""
    details = [Line(f"  {clean(detail)}", hang=4) for detail in error.details]
    write([Line(f"error: {clean(error.message)}", BAD, 2), *details], sys.stderr)
