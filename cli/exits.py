"""Exit codes of every command, and the error with an exit code, which `cli.group` prints. docs/cli.md lists them."""

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes that scripts can rely on."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    CANCELLED = 4
    UNDECIDED = 5
    BUDGET = 6
    INTERRUPTED = 130


# \b keeps the lines as they are.
EPILOG = """\
\b
Exit codes:
  0    success; for a run: every request succeeded
  1    the run failed, some of its requests failed, or a rule of --fail-if failed
  2    the command or the request is wrong
  3    no server answers, or a part that it needs is missing
  4    the benchmark was cancelled
  5    a rule of --fail-if is undecided: more requests would decide
  6    a budget stopped the run before its end, or has no money left for it
  130  interrupted (Ctrl-C)
"""


class CliError(Exception):
    """An expected error: one line that says what is wrong, then details, without a traceback."""

    def __init__(self, message: str, code: ExitCode, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = tuple(details)


class Interrupted(Exception):
    """The user (SIGINT) or the system (SIGTERM, SIGHUP) asked this program to end."""


def usage(message: str, details: Sequence[str] = ()) -> CliError:
    """The error for a wrong command line, or a wrong file named on it."""
    return CliError(message, ExitCode.USAGE, details)
