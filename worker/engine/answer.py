"""What an answer has said so far: its events on a timeline, its text, its usage, and whether it is complete."""

from dataclasses import replace

from shared.results import Usage
from shared.text import replace_unstorable
from shared.timeline import EventKind, TimelineEvent
from worker.engine.adapters.base import StreamDecoder
from worker.engine.events import (
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


class Answer:
    """Bytes go in with the stamp of their read (monotonic ns), events come out; offsets count from `sent_ns`."""

    def __init__(self, decoder: StreamDecoder, sent_ns: int) -> None:
        self.timeline: list[TimelineEvent] = []
        self.finish_reason: str | None = None
        self.done = False
        self.failure: Failure | None = None
        self.token_seen = False
        # The latest content, or ping after content: when the server was last seen at work.
        self.alive_ns: int | None = None
        self._decoder = decoder
        self._sent_ns = sent_ns
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._usage = Usage()
        self._usage_final = False

    def feed(self, data: bytes, stamp_ns: int) -> bool:
        """One read. True where its last bytes are its only token: then the stamp is that token's own."""
        if not self.timeline:
            self._mark(EventKind.FIRST_BYTE, stamp_ns)
        events = self._decoder.feed(data)
        for event in events:
            self._take(event, stamp_ns)
        whole = data.endswith((b"\n", b"\r"))
        return bool(whole and events and isinstance(events[-1], _TOKENS) and _tokens(events) == 1)

    def finish(self, stamp_ns: int) -> None:
        """The end of the body."""
        for event in self._decoder.finish():
            self._take(event, stamp_ns)
        self._mark(EventKind.END, stamp_ns)

    @property
    def usage(self) -> Usage:
        """As the provider gave it. Before it has counted, `output_tokens` is a placeholder and so unknown."""
        return self._usage if self._usage_final else replace(self._usage, output_tokens=None, reasoning_tokens=None)

    @property
    def id(self) -> str | None:
        """The provider's own id of the answer."""
        return self._decoder.answer_id

    def texts(self) -> tuple[str | None, str | None, set[str]]:
        """Response and reasoning as they can be stored, and flags that tell what had to be replaced."""
        response, response_replaced = _joined(self._texts)
        reasoning, reasoning_replaced = _joined(self._thoughts)
        flags = {"unstorable_text_replaced"} if response_replaced or reasoning_replaced else set()
        if self._decoder.invalid_utf8:
            flags.add("invalid_utf8_replaced")
        return response, reasoning, flags

    def _take(self, event: StreamEvent, stamp_ns: int) -> None:
        size = 0
        match event:
            case Content(text) | ToolCall(text):
                self._texts.append(text)
                size = self._token(text, stamp_ns)
            case Reasoning(text):
                self._thoughts.append(text)
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
        self.timeline.append(TimelineEvent(max(0, (stamp_ns - self._sent_ns + 500) // 1_000), kind, size))


def _tokens(events: list[StreamEvent]) -> int:
    return sum(isinstance(event, _TOKENS) for event in events)


def _joined(parts: list[str]) -> tuple[str | None, bool]:
    return replace_unstorable("".join(parts)) if parts else (None, False)
