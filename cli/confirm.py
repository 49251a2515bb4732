"""Asks before something is deleted."""

import sys
from collections.abc import Callable

import typer

from cli.exits import usage
from cli.output import note


def may_delete(question: Callable[[], str], *, yes: bool) -> bool:
    """Whether the user agrees, or has agreed with `--yes`. `question` is made only if it is asked.

    Raises CliError if there is no terminal to ask in.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise usage("delete asks before it deletes, and stdin is no terminal: add --yes")
    agreed = typer.confirm(question(), err=True)
    if not agreed:
        note("kept")
    return agreed
