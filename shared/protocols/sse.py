"""An incremental parser of event streams. It takes bytes as they arrive and returns whole events.

It follows the WHATWG algorithm of server-sent events. What servers send against it, it reads as it is meant: events
without a blank line between them, JSON documents outside a `data` line, a whole body that is one JSON document. We
wrote it because maintained parsers need decoded text or a response of their own client, hide invalid UTF-8, and lose
such events (docs/adr/0003-sse-parser.md).
"""

import re
from typing import Any, NamedTuple

from shared.protocols.json_values import NOT_JSON, document_at, load

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_NO_SPACE = re.compile(r"[^ \t\r\n]")
# How much is parsed in vain of a JSON document that is not whole yet: so many characters, and so many times its size.
_FREE, _TIMES = 100_000, 8
# The most bytes that are kept of lines that belong to no event.
_MOST_STRAY = 4_000


class ServerSentEvent(NamedTuple):
    """`event` is "message" if the stream does not name it. `document`: the JSON in `data`; NOT_JSON if it is none.

    `bare`: the document stood outside a `data` line.
    """

    event: str
    data: str
    document: Any = NOT_JSON
    bare: bool = False


class _Tries:
    """Says whether to try to parse a document that grows. All tries together take time in proportion to its size."""

    def __init__(self) -> None:
        self._spent = 0

    def allow(self, size: int) -> bool:
        """Whether a try is allowed at this size. It counts as one in vain."""
        if self._spent > _FREE + _TIMES * size:
            return False
        self._spent += size
        return True


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
        self._data_size = 0
        self._data_tries = _Tries()
        # A JSON document outside a `data` line, as far as it has come. Tries that depend on the reads count apart.
        self._bare: list[str] = []
        self._bare_size = 0
        self._bare_tries, self._open_tries = _Tries(), _Tries()
        # A document was returned before the blank line that should have ended its event.
        self._returned_early = False
        # The document of a line was taken before the line had ended.
        self._line_taken = False
        # The start of the lines that belong to no event.
        self.stray = ""
        self.invalid_utf8 = False
        self.events_unseparated = False

    @property
    def idle(self) -> bool:
        """Whether it is between two events, so that what came before does not change how the next one is read."""
        return not (
            self._buffer
            or self._skip_lf
            or self._at_start
            or self._event
            or self._data
            or self._bare
            or self._returned_early
            or self._line_taken
        )

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
        cr = buffer.find(b"\r", self._searched)
        lf = buffer.find(b"\n", self._searched)
        while True:
            if self._skip_lf and start < len(buffer):
                # The last read ended between the CR and the LF of a line end.
                if lf == start:
                    start += 1
                    lf = buffer.find(b"\n", start)
                self._skip_lf = False
            # The end of the next line is the first of the two that is there.
            end = lf if cr < 0 or 0 <= lf < cr else cr
            if end < 0:
                break
            self._line(buffer[start:end], events)
            start = end + 1
            if end == lf:
                lf = buffer.find(b"\n", start)
            else:
                self._skip_lf = True
                cr = buffer.find(b"\r", start)
        del buffer[:start]
        self._searched = len(buffer)
        return events

    def finish(self) -> list[ServerSentEvent]:
        """Returns the events that the end of the stream completes. Some servers leave out the last blank line."""
        events: list[ServerSentEvent] = []
        if self._buffer:
            self._line(self._buffer, events)
            self._buffer = bytearray()
        if self._bare:
            self._end_bare(events)
        self._line_taken = False
        self._line(b"", events)
        return events

    def take_open_document(self) -> list[ServerSentEvent]:
        """The JSON document whose last line end has not come, if it is whole. A server may never send that line end."""
        if not self._buffer:
            return []
        # No more of the buffer is copied than must be: there may be very many reads.
        if not self._buffer[-100:].rstrip(_SPACE).endswith((b"}", b"]")):
            return []
        if not self._bare and not self._buffer[:100].lstrip(_SPACE).startswith((b"{", b"[")):
            return []
        if not self._open_tries.allow(len(self._buffer) + self._bare_size):
            return []
        text = "\n".join([*self._bare, self._text(self._buffer.rstrip(_SPACE))])
        document = load(text)
        if document is NOT_JSON:
            return []
        self._buffer.clear()
        self._searched = 0
        self._line_taken = True
        self._forget_bare()
        return [ServerSentEvent(self._event or "message", text, document, bare=True)]

    def _line(self, line: bytes | bytearray, events: list[ServerSentEvent]) -> None:
        if self._line_taken:
            self._line_taken = False
            if not line.strip(_SPACE):
                return
        if self._bare and self._continue_bare(line, events):
            return
        if not line:
            if self._data:
                text = "\n".join(self._data)
                events.append(ServerSentEvent(self._event or "message", text, load(text)))
            self._event = ""
            self._forget_data()
            self._returned_early = False
            return
        if line.startswith(b"data: "):
            # Nearly every line.
            self._add_data(self._text(line[6:]), events)
            return
        if line.lstrip(_SPACE)[:1] in (b"{", b"["):
            self._begin_bare(self._text(line), events)
            return
        name, colon, value = line.partition(b":")
        if colon and not name:
            return  # a comment
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._add_data(self._text(value), events)
        elif name == b"event":
            self._event = self._text(value)
        elif name == b"error" and colon:
            # llama.cpp names an error so: in the field, where others have `data`.
            text = self._text(value)
            events.append(ServerSentEvent("error", text, load(text)))
        elif name not in (b"id", b"retry") and len(self.stray) < _MOST_STRAY:
            self.stray = f"{self.stray}{self._text(line)}\n"[:_MOST_STRAY]

    def _add_data(self, text: str, events: list[ServerSentEvent]) -> None:
        """A document that is whole, or the end marker, is an event at once: some servers send no blank line."""
        if not self._data and (text == "[DONE]" or text[:1] in ("{", "[")):
            document = load(text)
            if document is not NOT_JSON or text == "[DONE]":
                self._return_early(ServerSentEvent(self._event or "message", text, document), events)
                return
        elif self._data and text[:1] == "{" and not self._data[0].startswith(("{", "[")):
            # A word such as `ping`, and then a document, without a blank line between them.
            document = load(text)
            if document is not NOT_JSON:
                self._return_early(ServerSentEvent(self._event or "message", "\n".join(self._data)), events)
                self._forget_data()
                self._return_early(ServerSentEvent(self._event or "message", text, document), events)
                return
        elif not self._data and self._returned_early:
            self.events_unseparated = True
        self._data.append(text)
        self._data_size += len(text) + 1
        may_end = len(self._data) > 1 and self._data[0][:1] in ("{", "[") and text.rstrip().endswith(("}", "]"))
        if may_end and self._data_tries.allow(self._data_size):
            whole = "\n".join(self._data)
            document = load(whole)
            if document is not NOT_JSON:
                self._forget_data()
                self._return_early(ServerSentEvent(self._event or "message", whole, document), events)

    def _return_early(self, event: ServerSentEvent, events: list[ServerSentEvent]) -> None:
        self.events_unseparated |= self._returned_early
        self._returned_early = True
        events.append(event)

    def _forget_data(self) -> None:
        if self._data:
            self._data, self._data_size, self._data_tries = [], 0, _Tries()

    def _begin_bare(self, text: str, events: list[ServerSentEvent]) -> None:
        self._bare, self._bare_size = [text], len(text)
        self._try_bare(events)

    def _continue_bare(self, line: bytes | bytearray, events: list[ServerSentEvent]) -> bool:
        """Adds a line to the open document. False if the line ends the document: it is then read as any other."""
        if not line or line.startswith((b"data:", b"event:")):
            self._end_bare(events)
            return False
        text = self._text(line)
        self._bare.append(text)
        self._bare_size += len(text) + 1
        if text.rstrip().endswith(("}", "]")) and self._bare_tries.allow(self._bare_size):
            self._try_bare(events)
        return True

    def _try_bare(self, events: list[ServerSentEvent]) -> None:
        text = "\n".join(self._bare)
        document = load(text)
        if document is NOT_JSON:
            if _is_word(text):
                self._forget_bare()
                events.append(ServerSentEvent("message", text.strip(), bare=True))
            elif document_at(text, _start(text, 0)) is not None:
                self._forget_bare()
                if rest := self._split(text, events):
                    self._bare, self._bare_size = [rest], len(rest)
            return
        self._forget_bare()
        events.append(ServerSentEvent(self._event or "message", text, document, bare=True))

    def _end_bare(self, events: list[ServerSentEvent]) -> None:
        text = "\n".join(self._bare)
        self._forget_bare()
        if rest := self._split(text, events):
            events.append(ServerSentEvent(self._event or "message", rest, bare=True))

    def _split(self, text: str, events: list[ServerSentEvent]) -> str:
        """Takes the documents off a text that begins with one. Returns the one that is not whole, empty without one.

        What follows a document is read as a line of its own with its leading spaces, as if the reads were cut there.
        """
        end = 0
        while (start := _start(text, end)) < len(text):
            if text[start] in "{[":
                found = document_at(text, start)
                if found is None:
                    return text[start:]
                document, end = found
                events.append(ServerSentEvent(self._event or "message", text[start:end], document, bare=True))
            else:
                start = max(end, text.rfind("\n", end, start) + 1)
                end = text.find("\n", start)
                end = len(text) if end < 0 else end
                self._line(text[start:end].encode("utf-8", "surrogatepass"), events)
        return ""

    def _forget_bare(self) -> None:
        self._bare, self._bare_size = [], 0
        self._bare_tries, self._open_tries = _Tries(), _Tries()

    def _text(self, value: bytes | bytearray) -> str:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            self.invalid_utf8 = True
            return value.decode("utf-8", "replace")


def _start(text: str, at: int) -> int:
    """Where the first character from this place on stands that is no space."""
    found = _NO_SPACE.search(text, at)
    return len(text) if found is None else found.start()


def _is_word(text: str) -> bool:
    """Whether it is a marker in brackets, such as `[DONE]`, and not the start of a JSON document."""
    inner = text.strip()
    return inner.startswith("[") and inner.endswith("]") and inner[1:-1].replace("_", "").replace(" ", "").isalpha()
