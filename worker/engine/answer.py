"""Collects one answer: its events on a timeline, its text, its usage, and whether it is complete."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from io import StringIO

from shared.benchmark.results.record import Usage
from shared.numbers.timeline import EventKind, Timeline
from shared.protocols.decoders import MAX_BYTES, TOKENS, AnswerDecoder
from shared.protocols.events import (
    AnswerFacts,
    Content,
    Done,
    Failure,
    Finish,
    Ping,
    Reasoning,
    Step,
    StreamEvent,
    ToolCall,
    UsageReport,
    WasReasoning,
)
from shared.protocols.repeats import Pattern
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
# The largest answers of today's models, 128,000 tokens of some 250 bytes an event, are half of this and of MAX_BYTES. A
# larger answer would probably never end, and each of its tokens may cost money.
MAX_EVENTS = 250_000
# The most characters that are kept of an answer, and of its reasoning. 128,000 tokens are half a million characters.
MAX_TEXT = 1_000_000


class Answer:
    """Takes bytes with the stamp of their read (monotonic ns) and makes a timeline with offsets (µs) from `sent_ns`."""

    def __init__(self, decoder: AnswerDecoder, sent_ns: int) -> None:
        self.timeline = Timeline()
        self.usage = Usage()
        self.finish_reason: str | None = None
        self.failure: Failure | None = None
        # Stamps of the latest event with text, of the finish reason, and of the end event.
        self.token_ns: int | None = None
        # Stamp of the latest event by which the answer went on, with text or without.
        self.alive_ns: int | None = None
        self.finished_ns: int | None = None
        self.done_ns: int | None = None
        # Whether text came that is no reasoning.
        self.answered = False
        self._decoder = decoder
        self._sent_ns = sent_ns
        self._response = _Text()
        self._reasoning = _Text()
        self._size = 0

    def feed(self, data: bytes, stamp_ns: int) -> bool:
        """Takes one read. True if its last event is its only token: then the stamp belongs to that token."""
        if data and not self._size:
            self._mark(EventKind.FIRST_BYTE, stamp_ns)
        self._size += len(data)
        tokens, last = self._take_all(self._decoder.feed(data), stamp_ns)
        return tokens == 1 and isinstance(last, TOKENS) and data.endswith((b"\n", b"\r"))

    @property
    def pattern(self) -> Pattern | None:
        """The bytes that the next events are likely to repeat, if `repeat` may take them."""
        return None if self.complete or self.failure is not None else self._decoder.pattern

    def repeat(self, data: bytes, stamps: Sequence[int], ends: Sequence[int]) -> bool:
        """Takes several reads at once, as `feed` would take them one by one. False, and nothing is taken, if it cannot.

        It can if all their events repeat the one before with other texts. `ends`: where each read ends in `data`.
        """
        found = self._decoder.repeats(data)
        if found is None or self._size + len(data) > MAX_BYTES or len(self.timeline) + len(found.texts) > MAX_EVENTS:
            return False
        stamps_of_events = stamps if found.ends == ends else _stamps_of(found.ends, stamps, ends)
        if stamps_of_events is None:
            return False
        kind, text = found.kind, "".join(found.texts)
        if kind is Reasoning:
            self._reasoning.add(text)
        else:
            self.answered = True
            self._response.add(text)
        pieces: Iterable[str | bytes] = found.texts if text.isascii() else map(str.encode, found.texts)
        early_ns = self._sent_ns - 500
        offsets_us = [max(0, (stamp_ns - early_ns) // 1_000) for stamp_ns in stamps_of_events]
        self.timeline.extend(offsets_us, _KINDS[kind], list(map(len, pieces)))
        self._size += len(data)
        self.token_ns = self.alive_ns = stamps[-1]
        return True

    def finish(self, stamp_ns: int) -> None:
        """Takes the end of the body."""
        self._take_all(self._decoder.finish(), stamp_ns)
        self._mark(EventKind.END, stamp_ns)

    @property
    def empty(self) -> bool:
        """Whether not one byte came."""
        return not self._size

    @property
    def token_seen(self) -> bool:
        return self.token_ns is not None

    @property
    def complete(self) -> bool:
        """Whether the answer has ended: what follows changes nothing, but usage may still come."""
        return self.done_ns is not None or self.finished_ns is not None

    @property
    def excess(self) -> str | None:
        """The limit that the answer exceeds, in words; None if it exceeds none."""
        if self._size > MAX_BYTES:
            return f"more than {MAX_BYTES / 1e6:g} MB"
        if len(self.timeline) > MAX_EVENTS:
            return f"more than {MAX_EVENTS:,} events"
        return None

    @property
    def ended_ns(self) -> int:
        """When the answer was over: at its end event, else at its finish reason or the text after it (monotonic ns)."""
        if self.done_ns is not None:
            return self.done_ns
        return max(self.finished_ns or self._sent_ns, self.token_ns or self._sent_ns)

    @property
    def facts(self) -> AnswerFacts:
        """What the answer says about itself."""
        return self._decoder.facts

    @property
    def reasoning_shown(self) -> bool:
        return self._reasoning.any

    @property
    def reasoning_length(self) -> int:
        """How many characters of reasoning were shown."""
        return self._reasoning.size

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

    def _take_all(self, events: Iterable[StreamEvent], stamp_ns: int) -> tuple[int, StreamEvent | None]:
        """Takes events with one stamp. Returns how many of them have text, and the last one."""
        tokens, last = 0, None
        for last in events:
            self._take(last, stamp_ns)
            tokens += isinstance(last, TOKENS)
            if self.failure is not None or len(self.timeline) > MAX_EVENTS:
                break
        return tokens, last

    def _take(self, event: StreamEvent, stamp_ns: int) -> None:
        size = 0
        match event:
            case Content(text) | ToolCall(text):
                self.answered = True
                self._response.add(text)
                size = self._token(text, stamp_ns)
            case Reasoning(text):
                self._reasoning.add(text)
                size = self._token(text, stamp_ns)
            case WasReasoning(tag):
                self.timeline.replace(EventKind.CONTENT, EventKind.REASONING)
                self._reasoning.extend(self._response, less=tag)
                self._response, self.answered = _Text(), False
                return
            case UsageReport(usage):
                self.usage = usage
                size = usage.output_tokens or 0
            case Finish(reason):
                self.finish_reason, self.finished_ns = reason, stamp_ns
            case Failure():
                self.failure = event
            case Done():
                self.done_ns = stamp_ns
            case Step():
                self.alive_ns = stamp_ns
        self._mark(_KINDS.get(type(event), EventKind.OTHER), stamp_ns, size)

    def _token(self, text: str, stamp_ns: int) -> int:
        self.token_ns = self.alive_ns = stamp_ns
        return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))

    def _mark(self, kind: EventKind, stamp_ns: int, size: int = 0) -> None:
        self.timeline.append(max(0, (stamp_ns - self._sent_ns + 500) // 1_000), kind, size)


def _stamps_of(event_ends: Sequence[int], stamps: Sequence[int], read_ends: Sequence[int]) -> list[int] | None:
    """The stamp of each event: that of the read with its last byte. None if a read ends inside an event."""
    if not set(event_ends).issuperset(read_ends):
        return None
    return [stamps[bisect_left(read_ends, end)] for end in event_ends]


class _Text:
    """Text that comes in pieces; what exceeds MAX_TEXT is dropped."""

    def __init__(self) -> None:
        self._kept = StringIO()
        self.size = 0

    @property
    def any(self) -> bool:
        return self.size > 0

    @property
    def cut(self) -> bool:
        return self.size > MAX_TEXT

    def add(self, piece: str) -> None:
        self._kept.write(piece[: max(0, MAX_TEXT - self.size)])
        self.size += len(piece)

    def extend(self, other: "_Text", *, less: int) -> None:
        """Adds another text, without so many characters at its end."""
        size = other.size - less
        piece = other._kept.getvalue()[:size]
        self.add(piece)
        self.size += size - len(piece)

    def whole(self) -> tuple[str | None, bool]:
        """The text as it can be stored (None if no piece came), and whether something was replaced."""
        return replace_unstorable(self._kept.getvalue()) if self.any else (None, False)
