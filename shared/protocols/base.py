"""What an adapter is, and what the two have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

from shared.benchmark.prompt import Parameters
from shared.benchmark.record import RequestError
from shared.protocols.events import Failure, StreamEvent
from shared.protocols.sse import ServerSentEvent, SseParser

# Words of providers' error types and codes, to the kinds that results carry.
ERROR_KINDS = {
    "authentication_error": "authentication",
    "invalid_api_key": "authentication",
    "permission_error": "permission",
    "billing_error": "billing",
    "insufficient_quota": "billing",
    "not_found_error": "not_found",
    "model_not_found": "not_found",
    "request_too_large": "invalid_request",
    "invalid_request_error": "invalid_request",
    "context_length_exceeded": "invalid_request",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "timeout_error": "provider_timeout",
    "overloaded_error": "overloaded",
    "api_error": "server_error",
    "server_error": "server_error",
    "internal_server_error": "server_error",
}


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


class Adapter(Protocol):
    """A provider's protocol."""

    def body(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        system: str | None,
        parameters: Parameters,
    ) -> dict[str, Any]:
        """The request's JSON body, streaming asked for."""
        ...

    def decoder(self, content_type: str) -> StreamDecoder:
        """For one answer; `content_type` tells a stream from a plain JSON answer."""
        ...

    def current_body(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A planned body without what the server has refused since."""
        ...

    def retry_body(self, body: Mapping[str, Any], error: RequestError) -> dict[str, Any] | None:
        """The body to send once more where the server knew a part of it not; None where there is nothing to mend."""
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


def load_object(text: str) -> dict[str, Any] | Failure:
    """A JSON object, or the failure to be one."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        # orjson is strict about lone surrogates, which models do emit; the measurer replaces them.
        return _load_leniently(text)
    return document if isinstance(document, dict) else _malformed(text)


def _load_leniently(text: str) -> dict[str, Any] | Failure:
    import json

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _malformed(text)
    return document if isinstance(document, dict) else _malformed(text)


def _malformed(text: str) -> Failure:
    return Failure("malformed_event", f"not a JSON object: {text[:200]!r}")


def _is_malformed(event: StreamEvent) -> bool:
    return isinstance(event, Failure) and event.kind == "malformed_event"


def failure(error: Any) -> Failure:
    """A provider's error object as a failure; its kind from the error's own type, else its code."""
    if not isinstance(error, dict):
        return Failure("provider_error", str(error)[:2_000])
    words = [str(error[key]) for key in ("code", "type") if error.get(key) is not None]
    kind = next((ERROR_KINDS[word] for word in words if word in ERROR_KINDS), None) or _kind_of_status(words)
    return Failure(kind, str(error.get("message") or "no message"), words[0] if words else None)


def _kind_of_status(words: Sequence[str]) -> str:
    """OpenRouter and others put the HTTP status into `code`."""
    for word in words:
        if word.isdecimal():
            return kind_of_http_status(int(word))
    return "provider_error"


def kind_of_http_status(status: int) -> str:
    """The kind of an error answer that says no more than its status."""
    known = {
        400: "invalid_request",
        401: "authentication",
        402: "billing",
        403: "permission",
        404: "not_found",
        408: "provider_timeout",
        413: "invalid_request",
        422: "invalid_request",
        429: "rate_limited",
        504: "provider_timeout",
        529: "overloaded",
    }
    return known.get(status) or ("server_error" if status >= 500 else "provider_error")


def optional_int(value: Any) -> int | None:
    """A count as the provider gave it; anything else is unknown."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def answer_id(document: dict[str, Any]) -> str | None:
    """An `id` field, within the length that is stored."""
    return text_of(document.get("id"))[:200] or None


def text_of(value: Any) -> str:
    """A text field that may be missing, null or of another type."""
    return value if isinstance(value, str) else ""
