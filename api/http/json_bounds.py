"""Bounds of a JSON body's shape, checked on its bytes while they arrive. `api.http.body` uses it before it parses.

A small body can become many objects: a megabyte of `[],[],…` takes thirty megabytes when it is parsed.
"""

MAX_DEPTH = 150
# Items of arrays and members of objects, all together.
MAX_VALUES = 250_000
MAX_MEMBERS = 4_096
MAX_NAME_BYTES = 16_384
# A piece is looked at in steps of this size: about a millisecond. No name that begins and ends in a step is too long.
STEP_BYTES = MAX_NAME_BYTES

_STRUCTURE = b"[]{},"
_OTHER = bytes(set(range(256)) - set(_STRUCTURE))
# Bytes of UTF-8: those after the first of a character, and those before a character that fits into one or two bytes.
_FOLLOWING = bytes(range(0x80, 0xC0))
_NARROW = bytes(range(0xC4))
_MIDDLE = bytes(range(0xF0))


class TooComplex(Exception):
    """The body is deeper, or has more parts, than any request needs. `str()` says what is wrong."""


class JsonBounds:
    """Feed it the pieces of a JSON text. It raises TooComplex; wrong JSON it leaves to the parser.

    `max_text_bytes`: what all texts may take in memory. One character of four bytes makes all of its text take four.
    """

    def __init__(self, max_text_bytes: int) -> None:
        self._max_text_bytes = max_text_bytes
        self._in_string = False
        self._held_back = b""
        self._values = 1
        self._strings = 0
        self._string_bytes = 0
        # Of the text that is being read: its characters, and the bytes that each takes.
        self._characters, self._width = 0, 1
        self._text_bytes = 0
        # One entry for each open array or object: None for an array, its commas for an object.
        self._open: list[int | None] = []
        self._broken = False

    def feed(self, piece: bytes) -> None:
        """Raises TooComplex."""
        for begin in range(0, len(piece), STEP_BYTES):
            if self._broken:
                return
            self._step(self._held_back + piece[begin : begin + STEP_BYTES])

    def _step(self, text: bytes) -> None:
        # An escape must not be cut in two: the last backslash of an odd number waits for the next step.
        odd = (len(text) - len(text.rstrip(b"\\"))) % 2
        text, self._held_back = (text[:-1], b"\\") if odd else (text, b"")
        plain = text.replace(b"\\\\", b"__").replace(b'\\"', b"__")
        parts = plain.split(b'"')
        # The texts of parts[1:-1] begin and end in this step.
        begin = 2 if self._in_string else 1
        end = len(parts) - 1
        end -= (end - begin) % 2
        if end > begin and plain.isascii() and b"\\u" not in plain:
            self._parts(parts[:begin], at_quote=False)
            self._short_texts(parts[begin:end:2], parts[begin + 1 : end : 2])
            self._parts(parts[end:], at_quote=True)
        else:
            self._parts(parts, at_quote=False)
        # Each value of JSON has at most one text and one name.
        self._broken = self._broken or self._strings > 2 * self._values

    def _short_texts(self, texts: list[bytes], between: list[bytes]) -> None:
        """Whole texts with one byte for each character, and what follows each."""
        self._strings += len(texts)
        self._text_bytes += sum(map(len, texts))
        self._string_bytes = self._characters = 0
        self._check_text_bytes()
        self._structure(b"".join(between))

    def _parts(self, parts: list[bytes], *, at_quote: bool) -> None:
        """What is between the quotes. `at_quote`: there is one before the first part too."""
        for number, part in enumerate(parts):
            if number or at_quote:
                self._in_string = not self._in_string
                self._strings += self._in_string
                if self._in_string:
                    self._string_bytes = self._characters = 0
                    self._width = 1
                else:
                    self._text_bytes += self._characters * self._width
                    self._characters = 0
            if self._in_string:
                self._text(part)
            else:
                self._structure(part)

    def _text(self, part: bytes) -> None:
        self._string_bytes += len(part)
        self._characters += len(part)
        if not part.isascii():
            self._characters -= len(part) - len(part.translate(None, _FOLLOWING))
            self._width = max(self._width, _width(part))
        if escapes := part.count(b"\\u"):
            self._characters -= 5 * escapes
        if self._width < 4 and escapes:
            # An escape may be cut off at the end of the part; the widest is assumed then.
            self._width = 4 if b"\\ud" in part or b"\\uD" in part or part[-2:] == b"\\u" else max(self._width, 2)
        self._check_text_bytes()

    def _check_text_bytes(self) -> None:
        if self._text_bytes + self._characters * self._width > self._max_text_bytes:
            raise TooComplex(
                f"texts must take at most {self._max_text_bytes:,} bytes in memory; one character that needs four "
                "bytes makes all characters of its text take four"
            )

    def _structure(self, part: bytes) -> None:
        if self._string_bytes > MAX_NAME_BYTES and part.lstrip().startswith(b":"):
            raise TooComplex(f"a field name must have at most {MAX_NAME_BYTES:,} bytes")
        marks = part.translate(None, _OTHER)
        if not marks:
            return
        self._values += marks.count(b",") + marks.count(b"[") + marks.count(b"{")
        if self._values > MAX_VALUES:
            raise TooComplex(f"must have at most {MAX_VALUES:,} items and fields, all arrays and objects together")
        for mark in marks:
            if mark == 0x2C:  # ,
                if self._open and (members := self._open[-1]) is not None:
                    if members + 2 > MAX_MEMBERS:
                        raise TooComplex(f"an object must have at most {MAX_MEMBERS:,} fields")
                    self._open[-1] = members + 1
            elif mark in b"[{":
                if len(self._open) == MAX_DEPTH:
                    raise TooComplex(f"must be nested at most {MAX_DEPTH} deep")
                self._open.append(None if mark == 0x5B else 0)
            elif self._open:
                self._open.pop()
            else:
                # More is closed than was opened. The parser stops here as well.
                self._broken = True
                return


def _width(part: bytes) -> int:
    """The bytes that each character of a text with this part takes in memory."""
    if part.translate(None, _MIDDLE):
        return 4
    return 2 if part.translate(None, _NARROW) else 1
