"""The OpenAI chat-completions protocol, as OpenAI and compatible servers speak it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from shared.benchmark.prompt import Parameters
from shared.benchmark.record import RequestError, Usage
from shared.protocols.base import Adapter, Options, given_values
from shared.protocols.decoders import JsonDecoder, SseDecoder, StreamDecoder
from shared.protocols.error_kinds import failure
from shared.protocols.events import Content, Done, Failure, Finish, Other, Reasoning, StreamEvent, ToolCall, UsageReport
from shared.protocols.json_values import answer_id, load_object, optional_int, text_of
from shared.protocols.sdk import Sdk
from shared.protocols.sse import ServerSentEvent

# Parameters that the body carries under their own names.
_SAME_NAME = (
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "service_tier",
)


class ChatOptions(Options):
    """How chat-completions servers differ."""

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="The field that carries the output limit."
    )


class OpenAiChat(Adapter):
    """`POST …/chat/completions` with `stream: true` and a request for usage."""

    name = "openai"
    title = "chat completions"
    base_path = "/v1"
    accepts = frozenset({"max_tokens", "stop", *_SAME_NAME})
    options = ChatOptions

    def __init__(self, options: ChatOptions) -> None:
        super().__init__(options)
        self._max_tokens_field = options.max_tokens_field
        self._stream_options = True

    @classmethod
    def sdk(cls) -> Sdk:
        import openai

        return Sdk(
            client=openai.AsyncOpenAI,
            method="chat.completions.with_streaming_response.create",
            arguments=frozenset({"model", "messages", "max_tokens", "stream"}),
            status_error=openai.APIStatusError,
            connection_error=openai.APIConnectionError,
            error=openai.APIError,
        )

    def body(
        self, model: str, messages: Sequence[Mapping[str, str]], system: str | None, parameters: Parameters
    ) -> dict[str, Any]:
        turns = [dict(message) for message in messages]
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "system", "content": system}, *turns] if system is not None else turns,
            "stream": True,
            self._max_tokens_field: parameters.max_tokens,
            "stream_options": {"include_usage": True},
            **given_values(parameters, _SAME_NAME),
        }
        if parameters.stop is not None:
            body["stop"] = parameters.stop if isinstance(parameters.stop, str) else list(parameters.stop)
        return body

    def decoder(self, content_type: str) -> StreamDecoder:
        return _Completion() if content_type.startswith("application/json") else _CompletionStream()

    def current_body(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return body if self._stream_options else _without_stream_options(body)

    def retry_body(self, body: Mapping[str, Any], error: RequestError) -> dict[str, Any] | None:
        """Old servers refuse `stream_options` with 400 or 422. The adapter remembers that, so each is asked once."""
        if error.http_status not in (400, 422) or "stream_options" not in body:
            return None
        if self._stream_options and not any(word in error.message for word in ("stream_options", "include_usage")):
            return None
        self._stream_options = False
        return _without_stream_options(body)


def _without_stream_options(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "stream_options"}


class _CompletionStream(SseDecoder):
    def decode(self, raw: ServerSentEvent) -> list[StreamEvent]:
        if raw.data.strip() == "[DONE]":
            return [Done()]
        document = load_object(raw.data)
        if isinstance(document, Failure):
            return [document]
        if document.get("error"):
            return [failure(document["error"])]
        if self.answer_id is None:
            self.answer_id = answer_id(document)
        events: list[StreamEvent] = []
        for choice in _choices(document):
            events += _tokens(choice.get("delta"))
            if reason := text_of(choice.get("finish_reason")):
                events.append(Finish(reason))
        events += _usage(document.get("usage"))
        return events or [Other()]


class _Completion(JsonDecoder):
    """A whole completion in one JSON body."""

    def decode(self, document: dict[str, Any]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for choice in _choices(document):
            events += _tokens(choice.get("message"))
            if reason := text_of(choice.get("finish_reason")):
                events += [Finish(reason), Done()]
        return events + _usage(document.get("usage"))


def _choices(document: dict[str, Any]) -> list[dict[str, Any]]:
    choices = document.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _tokens(delta: Any) -> list[StreamEvent]:
    """The text of a delta or message. Reasoning is in `reasoning_content` (DeepSeek, older vLLM) or `reasoning`."""
    if not isinstance(delta, dict):
        return []
    events: list[StreamEvent] = []
    if text := text_of(delta.get("reasoning_content")) or text_of(delta.get("reasoning")):
        events.append(Reasoning(text))
    if text := text_of(delta.get("content")) or text_of(delta.get("refusal")):
        events.append(Content(text))
    calls = delta.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            text = text_of(function.get("name")) + text_of(function.get("arguments"))
            if text:
                events.append(ToolCall(text))
    return events


def _usage(usage: Any) -> list[StreamEvent]:
    if not isinstance(usage, dict):
        return []
    prompt = usage.get("prompt_tokens_details")
    completion = usage.get("completion_tokens_details")
    return [
        UsageReport(
            Usage(
                input_tokens=optional_int(usage.get("prompt_tokens")),
                output_tokens=optional_int(usage.get("completion_tokens")),
                reasoning_tokens=optional_int(completion.get("reasoning_tokens"))
                if isinstance(completion, dict)
                else None,
                cache_read_tokens=optional_int(prompt.get("cached_tokens")) if isinstance(prompt, dict) else None,
                cache_in_input=True,
            ),
            final=True,
        )
    ]
