"""Decoders turn the bytes of one answer into events. A protocol derives its own from these two."""

from abc import ABC, abstractmethod
from typing import Any, Protocol

from shared.protocols.error_kinds import failure
from shared.protocols.events import Failure, StreamEvent
from shared.protocols.json_values import answer_id, load_object
from shared.protocols.sse import ServerSentEvent, SseParser


class StreamDecoder(Protocol):
    """Turns the bytes of one answer into events, whatever the cuts."""

    @property
    def invalid_utf8(self) -> bool: ...

    @property
    def answer_id(self) -> str | None:
        """The provider's own id of this answer, once it was said."""
        ...

    def feed(self, data: bytes) -> list[StreamEvent]: ...

    def finish(self) -> list[StreamEvent]:
        """What the end of the body completes."""
        ...


class SseDecoder(ABC):
    """Decodes a stream event by event; an adapter says what an event means."""

    def __init__(self) -> None:
        self._parser = SseParser()
        self.answer_id: str | None = None

    @property
    def invalid_utf8(self) -> bool:
        return self._parser.invalid_utf8

    def feed(self, data: bytes) -> list[StreamEvent]:
        return [event for raw in self._parser.feed(data) for event in self.decode(raw)]

    def finish(self) -> list[StreamEvent]:
        # A body cut inside an event leaves a piece of JSON: that is a truncated stream, not a malformed one.
        return [event for raw in self._parser.finish() for event in self.decode(raw) if not _is_malformed(event)]

    @abstractmethod
    def decode(self, raw: ServerSentEvent) -> list[StreamEvent]:
        """What an event means."""


class JsonDecoder(ABC):
    """Decodes a plain JSON answer, as servers send that ignore `stream` or put an error into a 200."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.invalid_utf8 = False
        self.answer_id: str | None = None

    def feed(self, data: bytes) -> list[StreamEvent]:
        self._parts.append(data)
        return []

    def finish(self) -> list[StreamEvent]:
        document = load_object(b"".join(self._parts).decode("utf-8", "replace"))
        if isinstance(document, Failure):
            return [document]
        if document.get("error"):
            return [failure(document["error"])]
        self.answer_id = answer_id(document)
        return self.decode(document)

    @abstractmethod
    def decode(self, document: dict[str, Any]) -> list[StreamEvent]:
        """What a whole answer means."""


def _is_malformed(event: StreamEvent) -> bool:
    return isinstance(event, Failure) and event.kind == "malformed_event"
