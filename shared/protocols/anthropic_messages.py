"""The Anthropic Messages protocol."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from shared.benchmark.prompt import Parameters
from shared.benchmark.record import Usage
from shared.errors import FieldError
from shared.protocols.base import Adapter, given_values
from shared.protocols.decoders import JsonDecoder, SseDecoder, StreamDecoder
from shared.protocols.error_kinds import failure
from shared.protocols.events import (
    Content,
    Done,
    Failure,
    Finish,
    Other,
    Ping,
    Reasoning,
    StreamEvent,
    ToolCall,
    UsageReport,
)
from shared.protocols.json_values import answer_id, load_object, optional_int, text_of
from shared.protocols.sdk import Sdk
from shared.protocols.sse import ServerSentEvent

_USAGE_FIELDS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}


class AnthropicMessages(Adapter):
    """`POST /v1/messages` with `stream: true`."""

    name = "anthropic"
    title = "Messages"
    base_path = ""
    accepts = frozenset(
        {"max_tokens", "temperature", "top_p", "top_k", "stop", "thinking_budget_tokens", "service_tier"}
    )
    maxima: ClassVar[Mapping[str, float]] = {"temperature": 1}

    @classmethod
    def conflicts(cls, path: str, parameters: Parameters) -> list[FieldError]:
        budget, limit = parameters.thinking_budget_tokens, parameters.max_tokens
        if budget is None or limit is None or budget < limit:
            return []
        return [FieldError(f"{path}.thinking_budget_tokens", "must be below max_tokens", "out_of_range")]

    @classmethod
    def sdk(cls) -> Sdk:
        import anthropic

        return Sdk(
            client=partial(anthropic.AsyncAnthropic, open_telemetry=False),
            method="messages.with_streaming_response.create",
            arguments=frozenset({"model", "messages", "max_tokens", "stream"}),
            status_error=anthropic.APIStatusError,
            connection_error=anthropic.APIConnectionError,
            error=anthropic.APIError,
        )

    def body(
        self, model: str, messages: Sequence[Mapping[str, str]], system: str | None, parameters: Parameters
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": model,
            "max_tokens": parameters.max_tokens,
            "messages": [dict(message) for message in messages],
            "stream": True,
        }
        if system is not None:
            body["system"] = system
        body |= given_values(parameters, ("temperature", "top_p", "top_k", "service_tier"))
        if parameters.stop is not None:
            body["stop_sequences"] = [parameters.stop] if isinstance(parameters.stop, str) else list(parameters.stop)
        if parameters.thinking_budget_tokens is not None:
            body["thinking"] = {"type": "enabled", "budget_tokens": parameters.thinking_budget_tokens}
        return body

    def decoder(self, content_type: str) -> StreamDecoder:
        return _Message() if content_type.startswith("application/json") else _MessageStream()


class _UsageSoFar:
    """Counts are cumulative: the last value of each field wins. `input_tokens` leaves cached tokens out."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def report(self, usage: Any, *, final: bool) -> list[StreamEvent]:
        if not isinstance(usage, dict):
            return []
        for theirs, ours in _USAGE_FIELDS.items():
            if usage.get(theirs) is not None:
                self._fields[ours] = optional_int(usage[theirs])
        details = usage.get("output_tokens_details")
        if isinstance(details, dict) and details.get("thinking_tokens") is not None:
            self._fields["reasoning_tokens"] = optional_int(details["thinking_tokens"])
        return [UsageReport(Usage(**self._fields), final)]


class _MessageStream(SseDecoder):
    def __init__(self) -> None:
        super().__init__()
        self._usage = _UsageSoFar()

    def decode(self, raw: ServerSentEvent) -> list[StreamEvent]:
        document = load_object(raw.data)
        if isinstance(document, Failure):
            return [document]
        match document.get("type", raw.event):
            case "content_block_delta":
                return [_delta(document.get("delta"))]
            case "content_block_start":
                return [_block_start(document.get("content_block"))]
            case "message_start":
                message = document.get("message")
                usage = message.get("usage") if isinstance(message, dict) else None
                self.answer_id = answer_id(message) if isinstance(message, dict) else None
                return self._usage.report(usage, final=False) or [Other()]
            case "message_delta":
                events = self._usage.report(document.get("usage"), final=True)
                delta = document.get("delta")
                reason = text_of(delta.get("stop_reason")) if isinstance(delta, dict) else ""
                return [*events, Finish(reason)] if reason else events or [Other()]
            case "message_stop":
                return [Done()]
            case "ping":
                return [Ping()]
            case "error":
                return [failure(document.get("error"))]
            case _:
                return [Other()]


class _Message(JsonDecoder):
    """A whole message in one JSON body."""

    def decode(self, document: dict[str, Any]) -> list[StreamEvent]:
        blocks = document.get("content")
        events: list[StreamEvent] = [_block_start(block) for block in blocks] if isinstance(blocks, list) else []
        events += _UsageSoFar().report(document.get("usage"), final=True)
        reason = text_of(document.get("stop_reason"))
        return [*events, Finish(reason), Done()] if reason else events


def _delta(delta: Any) -> StreamEvent:
    if not isinstance(delta, dict):
        return Other()
    if text := text_of(delta.get("text")):
        return Content(text)
    if text := text_of(delta.get("thinking")):
        return Reasoning(text)
    if text := text_of(delta.get("partial_json")):
        return ToolCall(text)
    return Other()


def _block_start(block: Any) -> StreamEvent:
    """A block may begin with text. The block of a tool call begins with the tool's name."""
    if isinstance(block, dict) and block.get("type") == "tool_use":
        return ToolCall(text_of(block.get("name"))) if text_of(block.get("name")) else Other()
    return _delta(block)
