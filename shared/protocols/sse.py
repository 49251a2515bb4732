"""An incremental parser of event streams. It takes bytes as they arrive and returns whole events.

It follows the WHATWG algorithm of server-sent events. What servers send against it, it reads as it is meant: events
without a blank line or a line end between them, lines that a gateway has wrapped twice, JSON documents outside a `data`
line, a whole body that is one JSON document. We wrote it because maintained parsers need decoded text or a response of
their own client, hide invalid UTF-8, and lose such events (docs/adr/0003-sse-parser.md).
"""

import re
from typing import Any, NamedTuple

from shared.protocols.data_lines import documents_in, unwrapped
from shared.protocols.json_values import NOT_JSON, document_at, load
from shared.protocols.open_document import OpenDocument, Tries

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_NO_SPACE = re.compile(r"[^ \t\r\n]")
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


class SseParser:
    """Takes reads of any size. Where they are cut makes no difference to the events."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        # The first bytes of the buffer, this many, hold no line end. They are not searched again at the next read.
        self._searched = 0
        self._skip_lf = False
        self._at_start = True
        self._event = ""
        self._data = OpenDocument()
        # A JSON document outside a `data` line. Tries that depend on the reads count apart.
        self._bare = OpenDocument()
        self._open_tries = Tries()
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
            or self._data.lines
            or self._bare.lines
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
        if self._bare.lines:
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
        if not self._bare.lines and not self._begins_bare(self._buffer[:100]):
            return []
        if not self._open_tries.allow(len(self._buffer) + self._bare.size):
            return []
        text = "\n".join([*self._bare.lines, self._text(self._buffer.rstrip(_SPACE))])
        document = load(text)
        if document is NOT_JSON:
            return []
        self._buffer.clear()
        self._searched = 0
        self._line_taken = True
        self._forget_bare()
        events: list[ServerSentEvent] = []
        self._add_event(events, text, document, bare=True)
        return events

    def _line(self, line: bytes | bytearray, events: list[ServerSentEvent]) -> None:
        if self._line_taken:
            self._line_taken = False
            if not line.strip(_SPACE):
                return
        if self._bare.lines and self._continue_bare(line, events):
            return
        if not line:
            if self._data.lines:
                text = self._data.text
                self._add_event(events, text, load(text))
            self._event = ""
            self._forget_data()
            self._returned_early = False
            return
        if line.startswith(b"data: "):
            self._add_data(self._text(line[6:]), events)
            return
        if self._begins_bare(line):
            self._begin_bare(self._text(line), events)
            return
        name, colon, value = line.partition(b":")
        if colon and not name:
            return  # a comment
        name = name.strip(_SPACE)
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
        elif name in (b"id", b"retry"):
            return
        elif self._data.is_json:
            # Only the first line of the document was put into a `data` line.
            self._add_data(self._text(line), events)
        elif len(self.stray) < _MOST_STRAY:
            self.stray = f"{self.stray}{self._text(line)}\n"[:_MOST_STRAY]

    def _add_event(
        self, events: list[ServerSentEvent], text: str, document: Any = NOT_JSON, *, bare: bool = False
    ) -> None:
        """Adds an event. The name that came before it is that of no other one."""
        events.append(ServerSentEvent(self._event or "message", text, document, bare))
        self._event = ""

    def _add_data(self, text: str, events: list[ServerSentEvent]) -> None:
        """A document that is whole, or the end marker, is an event at once: some servers send no blank line."""
        if text[:1] not in ("{", "["):
            text = unwrapped(text)
        elif not self._data.lines and (document := load(text)) is not NOT_JSON:
            # Nearly every line.
            self._return_early(text, document, events)
            return
        if text[:1] in ("{", "[") and not self._data.is_json:
            documents, rest = documents_in(text)
            if documents and self._data.lines:
                # A word such as `ping`, and then a document, without a blank line between them.
                self._return_early(self._data.text, NOT_JSON, events)
                self._forget_data()
            for piece, document in documents:
                self._return_early(piece, document, events)
            if not rest:
                return
            text = rest
        elif not self._data.lines and self._returned_early:
            self.events_unseparated = True
        self._data.add(text)
        if len(self._data.lines) > 1 and self._data.is_json and self._data.may_end:
            whole = self._data.text
            document = load(whole)
            if document is not NOT_JSON:
                self._forget_data()
                self._return_early(whole, document, events)

    def _return_early(self, text: str, document: Any, events: list[ServerSentEvent]) -> None:
        self.events_unseparated |= self._returned_early
        self._returned_early = True
        self._add_event(events, text, document)

    def _forget_data(self) -> None:
        if self._data.lines:
            self._data = OpenDocument()

    def _begins_bare(self, line: bytes | bytearray) -> bool:
        """Whether a line begins a document outside a `data` line. If indented, it may be a part of an open one."""
        if self._data.is_json and line[:1] in (b" ", b"\t"):
            return False
        return line.lstrip(_SPACE)[:1] in (b"{", b"[")

    def _begin_bare(self, text: str, events: list[ServerSentEvent]) -> None:
        self._bare.add(text)
        self._try_bare(events)

    def _continue_bare(self, line: bytes | bytearray, events: list[ServerSentEvent]) -> bool:
        """Adds a line to the open document. False if the line ends the document: it is then read as any other."""
        if not line or line.lstrip(_SPACE).startswith((b"data:", b"event:")):
            self._end_bare(events)
            return False
        self._bare.add(self._text(line))
        if self._bare.may_end:
            self._try_bare(events)
        return True

    def _try_bare(self, events: list[ServerSentEvent]) -> None:
        text = self._bare.text
        document = load(text)
        if document is NOT_JSON:
            if _is_word(text):
                self._forget_bare()
                events.append(ServerSentEvent("message", text.strip(), bare=True))
            elif document_at(text, _start(text, 0)) is not None:
                self._forget_bare()
                if rest := self._split(text, events):
                    self._bare.add(rest)
            return
        self._forget_bare()
        self._add_event(events, text, document, bare=True)

    def _end_bare(self, events: list[ServerSentEvent]) -> None:
        text = self._bare.text
        self._forget_bare()
        if rest := self._split(text, events):
            self._add_event(events, rest, bare=True)

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
                self._add_event(events, text[start:end], document, bare=True)
            else:
                start = max(end, text.rfind("\n", end, start) + 1)
                end = text.find("\n", start)
                end = len(text) if end < 0 else end
                self._line(text[start:end].encode("utf-8", "surrogatepass"), events)
        return ""

    def _forget_bare(self) -> None:
        self._bare, self._open_tries = OpenDocument(), Tries()

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
