"""Asks before something is deleted or revoked."""

import sys
from collections.abc import Callable

import typer

from cli.exits import usage
from cli.terminal.output import note


def may_delete(question: Callable[[], str], *, yes: bool, verb: str = "delete") -> bool:
    """Whether the user agrees, or has agreed with `--yes`. `question` is made only if it is asked.

    Raises CliError if there is no terminal to ask in.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise usage(f"{verb} asks before it {verb}s, and stdin is no terminal: add --yes")
    agreed = typer.confirm(question(), err=True)
    if not agreed:
        note("kept")
    return agreed
