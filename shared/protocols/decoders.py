"""Decoders turn the bytes of one answer into events. The body decides how it is read, not its content type.

`AnswerDecoder` reads what all protocols have in common: compression, framing, errors, keep-alives, the end of the
answer. Each protocol derives its own, which says what a JSON document means.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.benchmark.results.record import Usage
from shared.protocols import html_page
from shared.protocols.compression import CannotDecompress, Decompressor
from shared.protocols.data_lines import END_MARKER
from shared.protocols.error_shapes import failure_of, find_error
from shared.protocols.events import (
    AnswerFacts,
    Content,
    Done,
    Failure,
    Finish,
    HiddenReasoning,
    Other,
    Ping,
    Reasoning,
    Step,
    StreamEvent,
    ToolCall,
    UsageReport,
)
from shared.protocols.finish_reasons import class_of, kind_of_failure
from shared.protocols.json_values import NOT_JSON, may_break_off, text_of
from shared.protocols.repeats import Pattern, Patterns, Repeats, TextField
from shared.protocols.sse import ServerSentEvent, SseParser
from shared.protocols.think_tags import ThinkTags
from shared.protocols.usage import UsageReader, find_usage
from shared.scrubber import shorten

# The most bytes of an answer, decompressed. The engine has the same limit for what is sent.
MAX_BYTES = 64_000_000
TOKENS = (Content, Reasoning, ToolCall)
_ERROR_WORDS = re.compile(
    r"\b(error|exception|fail(ed|ure)?|timeout|timed out|unavailable|overloaded|refused|denied|unauthorized|forbidden"
    r"|exceeded|quota|traceback)\b",
    re.IGNORECASE,
)
_KEEP_ALIVE_NAMES = frozenset({"ping", "heartbeat", "keepalive", "keep-alive", "keep_alive"})
# Markers such as `[END]`.
_MARKER = re.compile(r"\[[\w -]*\]")
# A line that is a comment or a field of an event stream, which a gateway has put into a `data` line.
_LINE = re.compile(r":.*|(?:event|id|retry):\s*\S*", re.DOTALL)


class AnswerDecoder(ABC):
    """Decodes one answer. The events do not depend on where the reads are cut."""

    # Whether the input tokens of this protocol's usage include cached ones.
    cache_in_input: bool
    # The fields of this protocol's documents. A document with no other field states no error of its own.
    usual_fields: frozenset[str]

    def __init__(self, headers: Mapping[str, str]) -> None:
        """`headers`: those of the answer; the names are in lower case."""
        self.facts = AnswerFacts()
        self._label = headers.get("content-type", "").partition(";")[0].strip().lower()
        self._decompressor = Decompressor(headers.get("content-encoding", ""))
        self._parser = SseParser()
        self._usage = UsageReader(cache_in_input=self.cache_in_input)
        self._think_tags = ThinkTags()
        # How often the event that is being read mentions usage.
        self._mentions = 0
        # The beginning of a body that is an HTML page. Bytes, as a read may end inside a character.
        self._html = b""
        self._size = 0
        self._patterns = Patterns()
        # What has come so far.
        self.token_seen = self._finished = self._done = self._understood = False
        # Whether JSON documents came outside `data` lines, and whether events came inside them.
        self._bare_seen = self._data_seen = False

    @property
    def invalid_utf8(self) -> bool:
        return self._parser.invalid_utf8

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        """Adds a read and gives the events that it completes."""
        return self._feed(data) if self._decompressor.plain else self._feed_compressed(data)

    def _feed_compressed(self, data: bytes) -> Iterator[StreamEvent]:
        """Gives the events piece by piece: a few compressed bytes may hold very many."""
        try:
            for piece in self._decompressor.feed(data):
                if self._size > MAX_BYTES:
                    message = f"the answer has more than {MAX_BYTES / 1e6:g} MB decompressed"
                    yield from self._unless_over([Failure("answer_too_large", message)])
                    return
                yield from self._feed(piece)
        except CannotDecompress as exc:
            yield from self._break_off(exc)

    @property
    def pattern(self) -> Pattern | None:
        """The bytes that the next events are likely to repeat; see `repeats`."""
        return self._patterns.latest

    def repeats(self, data: bytes) -> Repeats | None:
        """The events of reads that only repeat the event before, as `feed` gives them. None: they must be fed."""
        found = self._patterns.find(data)
        if found is None or not found.tagged:
            return found
        kind = self._think_tags.kind_of("".join(found.texts))
        return None if kind is None else found._replace(kind=kind)

    def finish(self) -> Iterator[StreamEvent]:
        """Gives the events that the end of the body completes."""
        try:
            rest = self._decompressor.finish()
        except CannotDecompress as exc:
            yield from self._break_off(exc)
            return
        yield from self._feed(rest)
        yield from self._last_events()
        if not self._understood and self._size and (words := self._no_answer()):
            yield Failure("not_an_answer", words)

    def _break_off(self, exc: CannotDecompress) -> Iterator[StreamEvent]:
        """Gives the events before the place where a compressed body breaks off, wherever its reads were cut."""
        yield from self._last_events()
        yield from self._unless_over([Failure("compressed_answer", str(exc))])

    def _last_events(self) -> Iterator[StreamEvent]:
        """Gives the events that nothing more will complete."""
        for raw in self._parser.finish():
            # A body that ends inside an event leaves a piece of JSON. Such a stream is truncated, not malformed.
            yield from (event for event in self._events(raw) if not (_is_malformed(event) and may_break_off(raw.data)))

    @abstractmethod
    def decode(self, document: dict[str, Any], raw: ServerSentEvent) -> list[StreamEvent]:
        """The events that one JSON document stands for. Errors and usage are read elsewhere."""

    def text_field(self, document: dict[str, Any]) -> TextField | None:
        """Where a document has its text. None unless `decode` gives this text as its only event."""
        return None

    def report_usage(self, document: dict[str, Any]) -> list[UsageReport]:
        """The usage in a document, if it has one."""
        if not self._mentions or (self._mentions == 1 and document.get("usage", self) is None):
            # Most chunks have `"usage": null`.
            return []
        found = find_usage(document)
        if found is None:
            return []
        report, usual_place = found
        usage = self._usage.read(report)
        # Usage may state a cost and no counts, or only counts out of range.
        self.facts.flags |= self._usage.flags
        self.facts.provider_cost_usd = self._usage.provider_cost_usd
        if usage == Usage(cache_in_input=self.cache_in_input):
            return []
        if not usual_place:
            self.facts.flags.add("usage_misplaced")
        return [UsageReport(usage)]

    def answer_events(self, text: str) -> list[StreamEvent]:
        """What a piece of content is: the answer, or reasoning between tags."""
        events = self._think_tags.events(text)
        if self._think_tags.found:
            self.facts.flags.add("think_tags")
        return events

    def finish_events(self, reason: str) -> list[StreamEvent]:
        """The end of an answer in the provider's word: a finish, or a failure if the word means one."""
        if not reason or reason.lower() in ("null", "none"):
            return []
        if class_of(reason) == "failed":
            return [Failure(kind_of_failure(reason), f"the answer ended with the finish reason {reason!r}", reason)]
        return [Finish(reason)]

    def note_hidden_reasoning(self) -> None:
        """Reasoning was billed, or marked, that has no text."""
        within = self.token_seen or self.facts.hidden_reasoning is HiddenReasoning.WITHIN
        self.facts.hidden_reasoning = HiddenReasoning.WITHIN if within else HiddenReasoning.BEFORE

    def _feed(self, data: bytes) -> list[StreamEvent]:
        was_idle = self._patterns.wanted and self._parser.idle
        events = self._feed_parser(data)
        self._patterns.forget()
        may_repeat = self._decompressor.plain and not self._finished and not self._done and self._parser.idle
        if may_repeat and events and isinstance(events[-1], TOKENS):
            self._patterns.learn(data, self.text_field, was_idle=was_idle)
        return events

    def _feed_parser(self, data: bytes) -> list[StreamEvent]:
        if not self._size:
            data = data.lstrip(b" \t\r\n")
        self._size += len(data)
        if self._decompressor.compressed:
            self.facts.flags.add("compressed")
        if self._html or (self._size == len(data) and data.startswith(b"<")):
            self._html += data[: html_page.MOST_BYTES - len(self._html)]
            return []
        events: list[StreamEvent] = []
        for raw in self._parser.feed(data):
            events += self._events(raw)
        for raw in self._parser.take_open_document():
            events += self._events(raw)
        return events

    def _events(self, raw: ServerSentEvent) -> list[StreamEvent]:
        """The events of one server-sent event, without what follows the end of the answer."""
        if self._parser.events_unseparated:
            self.facts.flags.add("events_unseparated")
        if raw.bare or not self._understood:
            self._see_frame(raw)
        return self._unless_over(self._meaning(raw))

    def _unless_over(self, events: list[StreamEvent]) -> list[StreamEvent]:
        """The events that do not follow the end of the answer: after it only usage counts, and nothing is a failure."""
        kept: list[StreamEvent] = []
        for event in events:
            if (self._done and not isinstance(event, UsageReport)) or (self._finished and isinstance(event, Failure)):
                if not isinstance(event, Ping | Done):
                    self.facts.flags.add("sent_after_end")
                continue
            if isinstance(event, TOKENS):
                self.token_seen = self._understood = True
            elif isinstance(event, Finish):
                self._finished = self._understood = True
            elif isinstance(event, Done):
                self._done = self._understood = True
            elif not isinstance(event, Other | Step | Ping):
                self._understood = True
            kept.append(event)
        return kept

    def _meaning(self, raw: ServerSentEvent) -> list[StreamEvent]:
        document = raw.document
        self._mentions = raw.data.count("sage")
        if isinstance(document, dict):
            return self._of_document(document, raw)
        if isinstance(document, list):
            # Some servers wrap each document, or an error, into a list.
            documents = [item for item in document if isinstance(item, dict)]
            return [event for item in documents for event in self._of_document(item, raw)] or [Other()]
        return [self._of_words(raw)]

    def _of_document(self, document: dict[str, Any], raw: ServerSentEvent) -> list[StreamEvent]:
        if raw.event == "error":
            return [failure_of(document)]
        if not self.usual_fields.issuperset(document) and (failure := find_error(document)) is not None:
            return [*self.report_usage(document), failure]
        kind = text_of(document.get("type"))
        if kind in _KEEP_ALIVE_NAMES or raw.event in _KEEP_ALIVE_NAMES or not document:
            if kind != raw.event:
                self.facts.flags.add("keep_alive_data")
            return [Ping()]
        return self.decode(document, raw)

    def _of_words(self, raw: ServerSentEvent) -> StreamEvent:
        """The meaning of data that is no JSON object: an end marker, an error, a keep-alive, or half a document."""
        words = raw.data.strip() if not isinstance(raw.document, str) else raw.document.strip()
        if words == END_MARKER:
            # Some servers end a stream with the marker of another protocol.
            return Done()
        if raw.event == "error":
            return failure_of(words)
        if raw.document is NOT_JSON and words[:1] in ("{", "[", "<") and not _MARKER.fullmatch(words):
            return Failure("malformed_event", f"not a JSON object: {shorten(words, 200)!r}")
        if _ERROR_WORDS.search(words) and not _LINE.fullmatch(words):
            return failure_of(words)
        if not self._finished:
            self.facts.flags.add("keep_alive_data")
        return Ping()

    def _see_frame(self, raw: ServerSentEvent) -> None:
        """Sees how an event was sent, and compares the first one with the content type."""
        if raw.bare and raw.document is not NOT_JSON and (self._bare_seen or self._data_seen):
            self.facts.flags.add("bare_json")
        self._bare_seen |= raw.bare and raw.document is not NOT_JSON
        self._data_seen |= not raw.bare
        if self._understood or not self._label:
            return
        expected = ("application/json",) if raw.bare else ("text/event-stream",)
        if self._label not in expected and not (raw.bare and "json" in self._label):
            self.facts.flags.add("mislabelled")

    def _no_answer(self) -> str:
        """Words for a body in which nothing was understood. Empty if it is a stream that ended early."""
        label = f" ({self._label})" if self._label else ""
        if self._html:
            return f"the server sent an HTML page{label}, not an answer: {html_page.words_of(self._html)!r}"
        if self._parser.stray.strip():
            return f"the server sent text{label}, not an answer: {shorten(self._parser.stray.strip(), 300)!r}"
        if self._bare_seen and not self._data_seen:
            return f"the server sent a JSON document{label} that is no answer of this protocol"
        return ""


def _is_malformed(event: StreamEvent) -> bool:
    return isinstance(event, Failure) and event.kind == "malformed_event"
