"""Splits a large JSON object into its fields and the items of its long arrays, without parsing it as a whole.

Each part is complete as far as brackets and quotes go; whether it is JSON, its parser says.
"""

import re
from collections.abc import Collection, Iterator
from typing import BinaryIO

# What is read at a time.
_PIECE = 262_144
MAX_DEPTH = 100

_SPACE = re.compile(rb"[^ \t\r\n]")
_IN_TEXT = re.compile(rb'["\\]')
_IN_CONTAINER = re.compile(rb'["{}\[\]]')
_AFTER_SCALAR = re.compile(rb"[,\]}\s]")
_QUOTE, _BACKSLASH = ord('"'), ord("\\")


class NotJson(Exception):
    """The file is no JSON object, or has a part that is too large. `str()` says what is wrong."""


def split(file: BinaryIO, arrays: Collection[str], max_item_bytes: int) -> Iterator[tuple[str, bytes]]:
    """(name, value) of each field. Of a field in `arrays`: (name, item) for each of its items. Raises NotJson."""
    return _Splitter(file, max_item_bytes).fields(arrays)


class _Splitter:
    def __init__(self, file: BinaryIO, max_item_bytes: int) -> None:
        self._file = file
        self._max = max_item_bytes
        self._text = bytearray()
        # What is before this place in `_text` has been dealt with.
        self._at = 0

    def fields(self, arrays: Collection[str]) -> Iterator[tuple[str, bytes]]:
        seen: set[str] = set()
        for name in self._members():
            if name in seen:
                raise NotJson(f"the field {name[:50]!r} is there twice")
            seen.add(name)
            if name in arrays:
                for item in self._items():
                    yield name, item
            else:
                yield name, self._value()
        if self._next() is not None:
            raise NotJson("something follows after the end of the object")

    def _members(self) -> Iterator[str]:
        """The name of each field; the caller then takes its value."""
        self._expect(b"{")
        if self._next() == ord("}"):
            self._at += 1
            return
        while True:
            if self._next() != _QUOTE:
                raise NotJson("a field name is missing")
            name = self._value()
            self._expect(b":")
            yield name[1:-1].decode("utf-8", "replace")
            if self._expect(b",}") == ord("}"):
                return

    def _items(self) -> Iterator[bytes]:
        self._expect(b"[")
        if self._next() == ord("]"):
            self._at += 1
            return
        while True:
            yield self._value()
            if self._expect(b",]") == ord("]"):
                return

    def _value(self) -> bytes:
        first = self._next()
        if first is None:
            raise NotJson("the file ends too early")
        if first == _QUOTE:
            end = self._end_of_text(self._at + 1)
        elif first in b"{[":
            end = self._end_of_container(self._at)
        else:
            end = self._search(_AFTER_SCALAR, self._at)
            if end == self._at:
                raise NotJson("a value is missing")
        value = bytes(self._text[self._at : end])
        self._at = end
        return value

    def _end_of_text(self, place: int) -> int:
        while True:
            place = self._search(_IN_TEXT, place)
            if self._text[place] == _QUOTE:
                return place + 1
            place += 2

    def _end_of_container(self, place: int) -> int:
        depth = 0
        while True:
            place = self._search(_IN_CONTAINER, place)
            mark = self._text[place]
            place += 1
            if mark == _QUOTE:
                place = self._end_of_text(place)
            elif mark in b"{[":
                depth += 1
                if depth > MAX_DEPTH:
                    raise NotJson(f"must be nested at most {MAX_DEPTH} deep")
            else:
                depth -= 1
                if depth == 0:
                    return place

    def _search(self, pattern: re.Pattern[bytes], place: int) -> int:
        """The place of the next match. Reads on as long as there is none."""
        while True:
            found = pattern.search(self._text, place)
            if found is not None:
                return found.start()
            place = max(place, len(self._text))
            if len(self._text) - self._at > self._max:
                raise NotJson(f"a part has more than {self._max:,} bytes")
            if not self._read():
                raise NotJson("the file ends too early")

    def _next(self) -> int | None:
        """The next byte that is no white space, which stays where it is; None at the end of the file."""
        if self._at > _PIECE:
            # Only here, where no value is under way.
            del self._text[: self._at]
            self._at = 0
        while True:
            found = _SPACE.search(self._text, self._at)
            if found is not None:
                self._at = found.start()
                return self._text[self._at]
            self._at = len(self._text)
            if not self._read():
                return None

    def _expect(self, marks: bytes) -> int:
        found = self._next()
        if found is None:
            raise NotJson("the file ends too early")
        if found not in marks:
            raise NotJson(f"there is {chr(found)!r} where one of {marks.decode()!r} must be")
        self._at += 1
        return found

    def _read(self) -> bool:
        piece = self._file.read(_PIECE)
        self._text += piece
        return bool(piece)
