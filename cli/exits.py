"""Exit codes of every command, and the error that carries one. Printed by `cli.group`, listed in docs/cli.md."""

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """What a script may rely on."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    CANCELLED = 4
    INTERRUPTED = 130


# \b keeps the lines as they are.
EPILOG = """\
\b
Exit codes:
  0    all is well; of a run: every request succeeded
  1    the run failed, or some of its requests did
  2    the command or the request is wrong; each wrong field is named
  3    the server, or a part that it needs, is not reachable or not ready
  4    the benchmark was cancelled
  130  interrupted (Ctrl-C)
"""


class CliError(Exception):
    """An expected error: one line of what is wrong, then details, without a traceback."""

    def __init__(self, message: str, code: ExitCode, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = tuple(details)


class Interrupted(Exception):
    """The user (SIGINT) or the system (SIGTERM, SIGHUP) wants this program to end."""


def usage(message: str, details: Sequence[str] = ()) -> CliError:
    """The command line or a file named on it is wrong."""
    return CliError(message, ExitCode.USAGE, details)
