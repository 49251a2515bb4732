"""An incremental parser of server-sent events. It takes bytes as they arrive and returns whole events.

It follows the WHATWG algorithm. We wrote it because maintained parsers need decoded text or a response of their own
client and hide invalid UTF-8 (docs/adr/0003-sse-parser.md).
"""

from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """`event` is "message" if the stream does not name it."""

    event: str
    data: str


class SseParser:
    """Takes reads of any size. Where they are cut makes no difference to the events."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        # The first bytes of the buffer, this many, hold no line end. They are not searched again at the next read.
        self._searched = 0
        self._skip_lf = False
        self._at_start = True
        self._event = ""
        self._data: list[str] = []
        self.invalid_utf8 = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Adds a read and returns the events that it completes."""
        self._buffer += data
        if self._at_start:
            if len(self._buffer) < len(_BOM) and _BOM.startswith(self._buffer):
                return []
            self._at_start = False
            if self._buffer.startswith(_BOM):
                del self._buffer[: len(_BOM)]
        events: list[ServerSentEvent] = []
        start = 0
        buffer = self._buffer
        while True:
            if self._skip_lf and start < len(buffer):
                # The last read ended between the CR and the LF of a line end.
                start += buffer[start] == 0x0A
                self._skip_lf = False
            end = _line_end(buffer, max(start, self._searched))
            if end < 0:
                break
            self._line(buffer[start:end], events)
            self._skip_lf = buffer[end] == 0x0D
            start = end + 1
        del buffer[:start]
        self._searched = len(buffer)
        return events

    def finish(self) -> list[ServerSentEvent]:
        """Returns the events that the end of the stream completes. Some servers leave out the last blank line."""
        events: list[ServerSentEvent] = []
        if self._buffer:
            self._line(self._buffer, events)
            self._buffer = bytearray()
        self._line(b"", events)
        return events

    def _line(self, line: bytes | bytearray, events: list[ServerSentEvent]) -> None:
        if not line:
            if self._data:
                events.append(ServerSentEvent(self._event or "message", "\n".join(self._data)))
            self._event, self._data = "", []
            return
        name, colon, value = line.partition(b":")
        if colon and not name:
            return  # a comment
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._data.append(self._text(value))
        elif name == b"event":
            self._event = self._text(value)

    def _text(self, value: bytes | bytearray) -> str:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            self.invalid_utf8 = True
            return value.decode("utf-8", "replace")


def _line_end(buffer: bytearray, start: int) -> int:
    """Index of the first CR or LF from `start`, or -1."""
    lf = buffer.find(b"\n", start)
    cr = buffer.find(b"\r", start, lf if lf >= 0 else len(buffer))
    return cr if cr >= 0 else lf
