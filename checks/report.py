"""Says in red that something was not checked, so that nobody takes it for a success."""

import sys

RED, PLAIN = "\x1b[1;31m", "\x1b[0m"


def not_run(what: str, why: str) -> None:
    """One line on stderr. Red in a terminal; elsewhere the words have to do."""
    line = f"NOT RUN: {what}: {why}"
    sys.stderr.write(f"{RED}{line}{PLAIN}\n" if sys.stderr.isatty() else f"{line}\n")
