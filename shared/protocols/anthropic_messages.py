"""The Anthropic Messages protocol."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from shared.benchmark.prompt import Parameters
from shared.errors import FieldError
from shared.protocols.base import Adapter, given_values
from shared.protocols.decoders import AnswerDecoder
from shared.protocols.events import Content, Done, Failure, Other, Reasoning, Step, StreamEvent, ToolCall
from shared.protocols.json_values import answer_id, json_text, object_of, objects_of, text_of, word_of
from shared.protocols.repeats import TextEvent, TextField
from shared.protocols.sdk import Sdk
from shared.protocols.sse import ServerSentEvent


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

    def decoder(self, headers: Mapping[str, str]) -> AnswerDecoder:
        return _Message(headers)


# The fields of a delta, and what their text is.
_DELTAS: dict[str, TextEvent] = {"text": Content, "thinking": Reasoning, "partial_json": ToolCall}


class _Message(AnswerDecoder):
    """The events of a streamed message, or a whole message in one document."""

    cache_in_input = False
    usual_fields = frozenset({"type", "index", "delta", "content_block", "message", "usage"})

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(headers)
        # A block of thinking is open, and it has shown no text so far.
        self._silent_thinking = False

    def decode(self, document: dict[str, Any], raw: ServerSentEvent) -> list[StreamEvent]:
        match document.get("type", raw.event):
            case "content_block_delta":
                return self._delta(object_of(document.get("delta")))
            case "content_block_start":
                return self._block_start(object_of(document.get("content_block")))
            case "content_block_stop":
                self._end_thinking()
                return [Step()]
            case "message_start":
                message = object_of(document.get("message"))
                self._note_message(message)
                # Its count of output tokens is a placeholder.
                usage = {**object_of(message.get("usage")), "output_tokens": None}
                return [*self.report_usage({"usage": usage})] or [Other()]
            case "message_delta":
                self._end_thinking()
                self._note_served(object_of(document.get("usage")))
                reason = text_of(object_of(document.get("delta")).get("stop_reason"))
                return [*self.report_usage(document), *self.finish_events(reason)] or [Other()]
            case "message_stop":
                return [Done()]
            case "message" if "type" in document:
                # An event without a name is called `message`, too.
                return self._whole(document, raw)
            case _:
                return self._whole(document, raw) if isinstance(document.get("content"), list) else [Other()]

    def text_field(self, document: dict[str, Any]) -> TextField | None:
        delta = document.get("delta")
        if document.get("type") != "content_block_delta" or not isinstance(delta, dict):
            return None
        if not self.usual_fields.issuperset(document):
            return None
        names = [name for name in _DELTAS if text_of(delta.get(name))]
        if len(names) != 1:
            return None
        kind = _DELTAS[names[0]]
        return TextField(delta, names[0], kind, tagged=kind is Content)

    def _whole(self, message: dict[str, Any], raw: ServerSentEvent) -> list[StreamEvent]:
        self.facts.flags.add("not_streamed")
        self._note_message(message)
        events: list[StreamEvent] = []
        if text := text_of(message.get("content")):
            events += self.answer_events(text)
        for block in objects_of(message.get("content")):
            events += self._block_start(block)
            if object_of(block.get("input")):
                events.append(ToolCall(json_text(block["input"])))
            self._end_thinking()
        events += self.report_usage(message)
        ends = self.finish_events(text_of(message.get("stop_reason")))
        failed = any(isinstance(end, Failure) for end in ends)
        return [*events, *ends] if failed else [*events, *ends, Done()]

    def _note_message(self, message: dict[str, Any]) -> None:
        self.facts.id = answer_id(message)
        self.facts.model = word_of(message.get("model")) or self.facts.model
        self._note_served(object_of(message.get("usage")))

    def _note_served(self, usage: dict[str, Any]) -> None:
        self.facts.service_tier = word_of(usage.get("service_tier")) or self.facts.service_tier
        for iteration in objects_of(usage.get("iterations")):
            # A fallback of the server names the model that went on with the answer.
            self.facts.model = word_of(iteration.get("model")) or self.facts.model

    def _delta(self, delta: dict[str, Any]) -> list[StreamEvent]:
        if text := text_of(delta.get("text")):
            return self.answer_events(text)
        if text := text_of(delta.get("thinking")):
            self._silent_thinking = False
            return self._think_tags.beside(Reasoning(text))
        if text := text_of(delta.get("partial_json")):
            return self._think_tags.beside(ToolCall(text))
        return [Other()]

    def _block_start(self, block: dict[str, Any]) -> list[StreamEvent]:
        """A block may begin with text. The block of a tool call begins with the tool's name."""
        self._end_thinking()
        kind = text_of(block.get("type"))
        if kind == "redacted_thinking":
            self.note_hidden_reasoning()
        self._silent_thinking = kind == "thinking"
        if kind.endswith("tool_use"):
            return self._think_tags.beside(ToolCall(name)) if (name := text_of(block.get("name"))) else [Step()]
        begun = self._delta(block)
        return [Step() if isinstance(event, Other) else event for event in begun]

    def _end_thinking(self) -> None:
        """Newer models leave out the text of their thinking, but bill it."""
        if self._silent_thinking:
            self._silent_thinking = False
            self.note_hidden_reasoning()
