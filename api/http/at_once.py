"""Bounds how many of something the process does at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException


class AtOnce:
    """Places for `most` of them. One for each process."""

    def __init__(self, what: str, most: int) -> None:
        """`what`: in words, for the answer to those that find no place."""
        self._what = what
        self._most = most
        self._running = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raises HTTPException if no place is free."""
        if self._running >= self._most:
            raise HTTPException(503, f"too many {self._what} arrive at the same time: try again", {"Retry-After": "1"})
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
