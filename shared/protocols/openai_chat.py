"""The OpenAI chat-completions protocol, as OpenAI and compatible servers speak it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from shared.benchmark.prompt import Parameters
from shared.benchmark.results.record import RequestError
from shared.protocols.base import Adapter, Options, given_values
from shared.protocols.decoders import AnswerDecoder
from shared.protocols.error_shapes import find_error
from shared.protocols.events import Content, Done, Failure, HiddenReasoning, Other, Reasoning, StreamEvent, ToolCall
from shared.protocols.json_values import answer_id, json_text, object_of, objects_of, text_of, word_of
from shared.protocols.refused_fields import RefusedField
from shared.protocols.repeats import TextField
from shared.protocols.sdk import Sdk
from shared.protocols.sse import ServerSentEvent
from shared.protocols.usage import cost_of

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
    ignores_eos = True
    title = "chat completions"
    base_path = "/v1"
    accepts = frozenset({"max_tokens", "stop", *_SAME_NAME})
    options = ChatOptions

    def __init__(self, options: ChatOptions) -> None:
        super().__init__(options)
        self._max_tokens_field = options.max_tokens_field
        self._stream_options = RefusedField("stream_options", "include_usage")

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

    def decoder(self, headers: Mapping[str, str]) -> AnswerDecoder:
        return _Completion(headers)

    def current_body(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._stream_options.current(body)

    def retry_body(self, body: Mapping[str, Any], error: RequestError) -> dict[str, Any] | None:
        """Old servers refuse `stream_options`. The adapter remembers for which models, so each is asked once."""
        return self._stream_options.retry(body, error)


class _Completion(AnswerDecoder):
    """Chunks with a `delta`, or a whole completion with a `message`."""

    cache_in_input = True
    usual_fields = frozenset(
        {"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint", "provider"}
    )

    def decode(self, document: dict[str, Any], raw: ServerSentEvent) -> list[StreamEvent]:
        facts = self.facts
        if facts.id is None:
            facts.id = answer_id(document)
        if document.get("model") != facts.model:
            facts.model = word_of(document.get("model")) or facts.model
        if document.get("service_tier") != facts.service_tier:
            facts.service_tier = word_of(document.get("service_tier")) or facts.service_tier
        if document.get("system_fingerprint") != facts.system_fingerprint:
            facts.system_fingerprint = word_of(document.get("system_fingerprint")) or facts.system_fingerprint
        events: list[StreamEvent] = []
        ends: list[StreamEvent] = []
        for choice in objects_of(document.get("choices")):
            delta, whole = choice.get("delta"), False
            said = self._tokens(delta) if isinstance(delta, dict) else []
            if not said and "message" in choice and not self.token_seen and self._is_whole(choice, raw):
                # A whole answer, perhaps beside an empty delta. The last chunk of some streams repeats it.
                said = self._tokens(object_of(choice["message"]))
                whole = bool(said) or not isinstance(delta, dict)
            if whole:
                facts.flags.add("not_streamed")
            if not said and "text" in choice and (text := text_of(choice["text"])):
                # Some servers say the text of the delta here once more.
                said = self.answer_events(text)
            events += said
            if choice.get("error") and (failure := find_error(choice)) is not None:
                ends.append(failure)
            if (reason := choice.get("finish_reason")) is not None:
                ends += self.finish_events(text_of(reason))
            if whole and raw.bare and not any(isinstance(end, Failure) for end in ends):
                ends.append(Done())
        events += self.report_usage(document)
        if not self.usual_fields.issuperset(document) and (cost := cost_of(document)) is not None:
            # Some gateways state the cost in a document of its own, after the answer.
            facts.provider_cost_usd = cost
        return events + ends or [Other()]

    def _is_whole(self, choice: dict[str, Any], raw: ServerSentEvent) -> bool:
        """Whether the `message` of a choice may be the whole answer. Some streams say what follows in it."""
        return raw.bare or not isinstance(choice.get("delta"), dict) or choice.get("finish_reason") is not None

    def text_field(self, document: dict[str, Any]) -> TextField | None:
        choices = document.get("choices")
        if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
            return None
        choice, delta = choices[0], choices[0].get("delta")
        if not isinstance(delta, dict) or choice.get("finish_reason") is not None or not _BESIDE.isdisjoint(choice):
            return None
        if not self.usual_fields.issuperset(document):
            return None
        if _PLAIN_DELTA.issuperset(delta):
            return TextField(delta, "content", Content, tagged=True) if _is_text(delta.get("content")) else None
        for name in _REASONING_NAMES:
            if _is_text(delta.get(name)):
                plain = {"role", "content", name}.issuperset(delta) and delta.get("content") in (None, "")
                return TextField(delta, name, Reasoning) if plain else None
        return None

    def _tokens(self, delta: dict[str, Any]) -> list[StreamEvent]:
        """The text of a delta or message: reasoning under its many names, content as text or as parts, tool calls."""
        content = delta.get("content")
        if type(content) is str and _PLAIN_DELTA.issuperset(delta):
            # Nearly every chunk.
            return self.answer_events(content) if content else []
        events: list[StreamEvent] = []
        for event in [*map(Reasoning, self._reasoning(delta)), *self._content(content)]:
            events += self.answer_events(event.text) if isinstance(event, Content) else self._think_tags.beside(event)
        if object_of(object_of(delta.get("extra_content")).get("google")).get("thought") is True:
            # Gemini shows summaries of its thoughts as content, marks it so, and puts tags around it.
            self._note_summary()
            events = [Reasoning(event.text) if isinstance(event, Content) else event for event in events]
        if text := text_of(delta.get("refusal")):
            self.facts.flags.add("refused")
            events += self._think_tags.beside(Content(text))
        calls = delta.get("tool_calls")
        calls = objects_of(calls if isinstance(calls, list) else [calls])
        functions = [call.get("function") or call.get("custom") for call in calls] + [delta.get("function_call")]
        for function in functions:
            if text := _call_text(object_of(function)):
                events += self._think_tags.beside(ToolCall(text))
        return events

    def _note_summary(self) -> None:
        if self.facts.hidden_reasoning is HiddenReasoning.NONE:
            self.facts.hidden_reasoning = HiddenReasoning.SUMMARY

    def _reasoning(self, delta: dict[str, Any]) -> list[str]:
        details = objects_of(delta.get("reasoning_details"))
        if any(_is_encrypted(detail) for detail in details):
            self.note_hidden_reasoning()
        if any(_is_summary(detail) for detail in details):
            self._note_summary()
        for name in _REASONING_NAMES:
            if text := _text_in(delta.get(name)):
                return [text]
        texts = [_text_in(detail.get("text")) or _text_in(detail.get("summary")) for detail in details]
        return [text for text in texts if text]

    def _content(self, content: Any) -> list[StreamEvent]:
        if isinstance(content, str):
            return [Content(content)] if content else []
        parts = content if isinstance(content, list) else [content]
        events: list[StreamEvent] = []
        for part in parts:
            if isinstance(part, str):
                events += [Content(part)] if part else []
            elif isinstance(part, dict) and (text := _text_in(part)):
                reasoning = any(word in text_of(part.get("type")) for word in ("think", "reason", "thought"))
                if reasoning and _is_summary(part):
                    self._note_summary()
                events.append(Reasoning(text) if reasoning else Content(text))
        return events


# Fields of a choice that mean something beside its delta.
_BESIDE = frozenset({"message", "text", "error"})
_PLAIN_DELTA = frozenset({"role", "content"})
# Names under which servers send reasoning beside the content: DeepSeek, vLLM, OpenRouter, gateways of Anthropic models.
_REASONING_NAMES = (
    "reasoning_content",
    "reasoning",
    "reasoning_text",
    "thinking",
    "thinking_content",
    "thought",
    "thoughts",
)
# Names under which a typed part carries its text.
_PART_NAMES = ("text", "content", "thinking", "reasoning", "summary", "refusal", "output_text")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _text_in(value: Any, depth: int = 4) -> str:
    """The text in a value: a text, a typed part, or a list of them."""
    if isinstance(value, str):
        return value
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "".join(_text_in(item, depth - 1) for item in value)
    if isinstance(value, dict):
        return next((text for name in _PART_NAMES if (text := _text_in(value.get(name), depth - 1))), "")
    return ""


def _is_encrypted(detail: dict[str, Any]) -> bool:
    """Whether a detail stands for reasoning that has no text."""
    shown = _text_in(detail.get("text")) or _text_in(detail.get("summary"))
    return not shown and (bool(text_of(detail.get("data"))) or "encrypted" in text_of(detail.get("type")))


def _is_summary(part: dict[str, Any]) -> bool:
    """Whether the text of a part or detail of reasoning is a summary."""
    text = _text_in(part)
    return text != "" and ("summary" in text_of(part.get("type")) or text == _text_in(part.get("summary")))


def _call_text(function: dict[str, Any]) -> str:
    """The text of a tool call: its name and arguments, as far as this event carries them."""
    arguments = function.get("arguments", function.get("input"))
    if isinstance(arguments, dict) and arguments:
        arguments = json_text(arguments)
    return text_of(function.get("name")) + text_of(arguments)
