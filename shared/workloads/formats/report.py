"""What readers of datasets report: lines that are wrong, and rows that they leave out."""

from collections import Counter
from dataclasses import dataclass

# After this many wrong lines, reading ends.
MAX_ERRORS = 20


@dataclass(frozen=True, slots=True)
class LineError:
    """A wrong line. `line` counts from 1."""

    line: int
    message: str


class Unreadable(Exception):
    """Nothing behind this line can be read."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.error = LineError(line, message)


class TooManyErrors(Exception):
    """So many lines are wrong that reading on is of no use."""


class Report:
    """Collects the errors of one file, and counts by reason the rows that were left out."""

    def __init__(self) -> None:
        self.errors: list[LineError] = []
        self.left_out: Counter[str] = Counter()

    def wrong(self, line: int, message: str) -> None:
        """Raises TooManyErrors when there are MAX_ERRORS of them."""
        self.errors.append(LineError(line, message))
        if len(self.errors) >= MAX_ERRORS:
            raise TooManyErrors

    def leave_out(self, reason: str) -> None:
        self.left_out[reason] += 1
