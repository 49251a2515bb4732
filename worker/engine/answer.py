"""Collects one answer: its events on a timeline, its text, its usage, and whether it is complete."""

from dataclasses import replace
from io import StringIO

from shared.benchmark.record import Usage
from shared.numbers.timeline import EventKind, Timeline
from shared.protocols.decoders import StreamDecoder
from shared.protocols.events import (
    Content,
    Done,
    Failure,
    Finish,
    Ping,
    Reasoning,
    StreamEvent,
    ToolCall,
    UsageReport,
)
from shared.text import replace_unstorable

_KINDS: dict[type[StreamEvent], EventKind] = {
    Content: EventKind.CONTENT,
    Reasoning: EventKind.REASONING,
    ToolCall: EventKind.TOOL,
    UsageReport: EventKind.USAGE,
    Finish: EventKind.FINISH,
    Ping: EventKind.PING,
    Failure: EventKind.ERROR,
    Done: EventKind.DONE,
}
_TOKENS = (Content, Reasoning, ToolCall)
# The largest answers of today's models, 128,000 tokens of some 250 bytes an event, are half of this. A larger answer
# would probably never end, and each of its tokens may cost money.
MAX_BYTES = 64_000_000
MAX_EVENTS = 250_000
# The most characters that are kept of an answer, and of its reasoning. 128,000 tokens are half a million characters.
MAX_TEXT = 1_000_000


class Answer:
    """Takes bytes with the stamp of their read (monotonic ns) and makes a timeline with offsets (µs) from `sent_ns`."""

    def __init__(self, decoder: StreamDecoder, sent_ns: int) -> None:
        self.timeline = Timeline()
        self.finish_reason: str | None = None
        self.done = False
        self.failure: Failure | None = None
        self.token_seen = False
        # Stamp of the latest content, or of a later ping: the server was at work then.
        self.alive_ns: int | None = None
        self._decoder = decoder
        self._sent_ns = sent_ns
        self._response = _Text()
        self._reasoning = _Text()
        self._size = 0
        self._usage = Usage()
        self._usage_final = False

    def feed(self, data: bytes, stamp_ns: int) -> bool:
        """Takes one read. True if its last event is its only token: then the stamp belongs to that token."""
        self._size += len(data)
        if not len(self.timeline):
            self._mark(EventKind.FIRST_BYTE, stamp_ns)
        events = self._decoder.feed(data)
        for event in events:
            self._take(event, stamp_ns)
        whole = data.endswith((b"\n", b"\r"))
        return bool(whole and events and isinstance(events[-1], _TOKENS) and _tokens(events) == 1)

    def finish(self, stamp_ns: int) -> None:
        """Takes the end of the body."""
        for event in self._decoder.finish():
            self._take(event, stamp_ns)
        self._mark(EventKind.END, stamp_ns)

    @property
    def excess(self) -> str | None:
        """The limit that the answer exceeds, in words; None if it exceeds none."""
        if self._size > MAX_BYTES:
            return f"more than {MAX_BYTES / 1e6:g} MB"
        if len(self.timeline) > MAX_EVENTS:
            return f"more than {MAX_EVENTS:,} events"
        return None

    @property
    def usage(self) -> Usage:
        """Usage as the provider reported it. Output counts are None before the final report: they are placeholders."""
        return self._usage if self._usage_final else replace(self._usage, output_tokens=None, reasoning_tokens=None)

    @property
    def id(self) -> str | None:
        """The provider's id of the answer."""
        return self._decoder.answer_id

    def texts(self) -> tuple[str | None, str | None, set[str]]:
        """Response and reasoning as they can be stored, and flags that say what was replaced or cut."""
        response, response_replaced = self._response.whole()
        reasoning, reasoning_replaced = self._reasoning.whole()
        flags = {"unstorable_text_replaced"} if response_replaced or reasoning_replaced else set()
        if self._response.cut or self._reasoning.cut:
            flags.add("text_cut")
        if self._decoder.invalid_utf8:
            flags.add("invalid_utf8_replaced")
        return response, reasoning, flags

    def _take(self, event: StreamEvent, stamp_ns: int) -> None:
        size = 0
        match event:
            case Content(text) | ToolCall(text):
                self._response.add(text)
                size = self._token(text, stamp_ns)
            case Reasoning(text):
                self._reasoning.add(text)
                size = self._token(text, stamp_ns)
            case UsageReport(usage, final):
                self._usage, self._usage_final = usage, final
            case Finish(reason):
                self.finish_reason = reason
            case Failure():
                self.failure = self.failure or event
            case Ping() if self.token_seen:
                self.alive_ns = stamp_ns
            case Done():
                self.done = True
        self._mark(_KINDS.get(type(event), EventKind.OTHER), stamp_ns, size)

    def _token(self, text: str, stamp_ns: int) -> int:
        self.token_seen = True
        self.alive_ns = stamp_ns
        return len(text.encode("utf-8", "surrogatepass"))

    def _mark(self, kind: EventKind, stamp_ns: int, size: int = 0) -> None:
        self.timeline.append(max(0, (stamp_ns - self._sent_ns + 500) // 1_000), kind, size)


def _tokens(events: list[StreamEvent]) -> int:
    return sum(isinstance(event, _TOKENS) for event in events)


class _Text:
    """Text that comes in pieces; what exceeds MAX_TEXT is dropped."""

    def __init__(self) -> None:
        self.cut = False
        self._kept = StringIO()
        self._room = MAX_TEXT
        self._any = False

    def add(self, piece: str) -> None:
        self._any = True
        self.cut |= len(piece) > self._room
        self._room -= self._kept.write(piece[: self._room])

    def whole(self) -> tuple[str | None, bool]:
        """The text as it can be stored (None if no piece came), and whether something was replaced."""
        return replace_unstorable(self._kept.getvalue()) if self._any else (None, False)
