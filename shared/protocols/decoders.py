"""Decoders turn the bytes of one answer into events. Protocols derive theirs from `SseDecoder` and `JsonDecoder`."""

from abc import ABC, abstractmethod
from typing import Any, Protocol

from shared.protocols.error_kinds import failure
from shared.protocols.events import Failure, StreamEvent
from shared.protocols.json_values import answer_id, load_object
from shared.protocols.sse import ServerSentEvent, SseParser


class StreamDecoder(Protocol):
    """What the engine needs of a decoder. The events do not depend on where the reads are cut."""

    @property
    def invalid_utf8(self) -> bool: ...

    @property
    def answer_id(self) -> str | None:
        """The provider's own id of this answer; None until the answer names it."""
        ...

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Adds a read and returns the events that it completes."""
        ...

    def finish(self) -> list[StreamEvent]:
        """Returns the events that the end of the body completes."""
        ...


class SseDecoder(ABC):
    """Decodes server-sent events one by one. The protocol says what each means."""

    def __init__(self) -> None:
        self._parser = SseParser()
        self.answer_id: str | None = None

    @property
    def invalid_utf8(self) -> bool:
        return self._parser.invalid_utf8

    def feed(self, data: bytes) -> list[StreamEvent]:
        return [event for raw in self._parser.feed(data) for event in self.decode(raw)]

    def finish(self) -> list[StreamEvent]:
        # A body that ends inside an event leaves a piece of JSON. Such a stream is truncated, not malformed.
        return [event for raw in self._parser.finish() for event in self.decode(raw) if not _is_malformed(event)]

    @abstractmethod
    def decode(self, raw: ServerSentEvent) -> list[StreamEvent]:
        """The events that one server-sent event stands for."""


class JsonDecoder(ABC):
    """Decodes an answer in one JSON body. Servers send it if they ignore `stream` or put an error into a 200."""

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
        """The events that a whole answer stands for."""


def _is_malformed(event: StreamEvent) -> bool:
    return isinstance(event, Failure) and event.kind == "malformed_event"
