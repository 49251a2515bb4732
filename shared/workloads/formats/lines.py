"""Splits a file into lines, or a JSON array into its items, without holding more than one of them."""

import re
from collections.abc import Callable, Iterator

from shared.workloads.formats.report import Unreadable

# The longest line, CSV record or item.
MAX_LINE_BYTES = 4_000_000
_PIECE = 65_536
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_SPACES = re.compile(rb"[ \t\r\n]+")
# A whole text, a text whose end has not arrived, or a bracket.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|"|[\[\]{}]', re.DOTALL)

NumberedLine = tuple[int, bytes]
# `file.readline` or `file.read` of a binary file: takes the most bytes to return.
Read = Callable[[int], bytes]


def numbered_lines(readline: Read) -> Iterator[NumberedLine]:
    """(number, line) of each line with its end, without a byte order mark. Raises Unreadable for a huge line."""
    number = 0
    while line := readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise Unreadable(number, f"is longer than {MAX_LINE_BYTES:,} bytes")
        yield number, line.removeprefix(_BOM) if number == 1 else line


def text_of(line: bytes, number: int) -> str:
    """The line as text. Raises Unreadable if it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as exc:
        raise Unreadable(number, not_utf8(exc)) from None


def not_utf8(exc: UnicodeDecodeError) -> str:
    """What is wrong, for people."""
    return f"is not valid UTF-8: byte {exc.object[exc.start]:#04x} at byte {exc.start + 1} of the line"


def starts_as_array(beginning: bytes) -> bool:
    """Whether a JSON file is one array."""
    return beginning.removeprefix(_BOM).lstrip(_SPACE).startswith(b"[")


class ArrayItems:
    """The items of a JSON array: (number of the line on which it begins, bytes) of each.

    It looks only for where items end, so an item is not always correct JSON.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        # What has been read and not been given, from `_at` on.
        self._held = b""
        self._at = 0
        self._line = 1
        self._ended = False

    def __iter__(self) -> Iterator[NumberedLine]:
        """Raises Unreadable."""
        self._more()
        self._held = self._held.removeprefix(_BOM)
        self._skip(b"[", "must begin with [")
        if self._next() == b"]":
            self._take(self._at + 1)
        else:
            while True:
                self._next()
                line, item = self._line, self._item()
                yield line, item
                if self._next() == b"]":
                    self._take(self._at + 1)
                    break
                self._skip(b",", "must have , or ] after an item of the array")
        if self._next():
            raise Unreadable(self._line, "has something after the end of the array")

    def _more(self) -> None:
        piece = self._read(_PIECE)
        self._ended = not piece
        self._held = self._held[self._at :] + piece
        self._at = 0

    def _take(self, end: int) -> bytes:
        taken = self._held[self._at : end]
        self._at = end
        self._line += taken.count(b"\n")
        return taken

    def _next(self) -> bytes:
        """The next byte that is not space; empty at the end of the file."""
        while True:
            if (space := _SPACES.match(self._held, self._at)) is not None:
                self._take(space.end())
            if self._at < len(self._held) or self._ended:
                return self._held[self._at : self._at + 1]
            self._more()

    def _skip(self, mark: bytes, message: str) -> None:
        found = self._next()
        if found != mark:
            raise Unreadable(self._line, message if found else "ends within the array")
        self._take(self._at + 1)

    def _item(self) -> bytes:
        if self._held[self._at : self._at + 1] not in (b"{", b"["):
            # No format has such rows.
            raise Unreadable(self._line, "must have an object for each item of the array")
        depth, seen = 0, 0
        while True:
            depth, seen, complete = self._scan(depth, seen)
            if complete:
                return self._take(self._at + seen)
            if self._ended:
                raise Unreadable(self._line, "begins an item that does not end")
            if len(self._held) - self._at > MAX_LINE_BYTES:
                raise Unreadable(self._line, f"begins an item of more than {MAX_LINE_BYTES:,} bytes")
            self._more()

    def _scan(self, depth: int, seen: int) -> tuple[int, int, bool]:
        """(depth, bytes of the item that were looked at, whether that is all of it)."""
        for token in _TOKEN.finditer(self._held, self._at + seen):
            mark = token.group()
            if mark == b'"':
                return depth, token.start() - self._at, False
            if mark in (b"{", b"["):
                depth += 1
            elif mark in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    return 0, token.end() - self._at, True
        return depth, len(self._held) - self._at, False
