"""The OpenAI Responses protocol, as OpenAI and compatible servers speak it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from shared.benchmark.prompt import Parameters
from shared.protocols.base import Adapter, given_values
from shared.protocols.decoders import AnswerDecoder
from shared.protocols.error_shapes import failure_of, find_error
from shared.protocols.events import (
    Content,
    Done,
    Failure,
    HiddenReasoning,
    Other,
    Reasoning,
    Step,
    StreamEvent,
    ToolCall,
    UsageReport,
)
from shared.protocols.json_values import answer_id, json_text, object_of, objects_of, text_of, word_of
from shared.protocols.sdk import Sdk
from shared.protocols.sse import ServerSentEvent

# Parameters that the body carries under their own names.
_SAME_NAME = ("temperature", "top_p", "service_tier")


class OpenAiResponses(Adapter):
    """`POST …/responses` with `stream: true`. The server is asked not to store the response."""

    name = "openai-responses"
    ignores_eos = True
    title = "Responses"
    base_path = "/v1"
    accepts = frozenset({"max_tokens", "reasoning_effort", *_SAME_NAME})

    @classmethod
    def sdk(cls) -> Sdk:
        import openai

        return Sdk(
            client=openai.AsyncOpenAI,
            method="responses.with_streaming_response.create",
            arguments=frozenset({"model", "input", "stream"}),
            status_error=openai.APIStatusError,
            connection_error=openai.APIConnectionError,
            error=openai.APIError,
        )

    def body(
        self, model: str, messages: Sequence[Mapping[str, str]], system: str | None, parameters: Parameters
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": model,
            # OpenAI does not need the `type`, but llama.cpp refuses an assistant's turn without it.
            "input": [{"type": "message", **message} for message in messages],
            "stream": True,
            "store": False,
            "max_output_tokens": parameters.max_tokens,
            **given_values(parameters, _SAME_NAME),
        }
        if system is not None:
            body["instructions"] = system
        if parameters.reasoning_effort is not None:
            body["reasoning"] = {"effort": parameters.reasoning_effort}
        return body

    def decoder(self, headers: Mapping[str, str]) -> AnswerDecoder:
        return _Response(headers)


Channel = Literal["answer", "refusal", "reasoning", "summary", "name", "call"]
_THOUGHTS: tuple[Channel, ...] = ("reasoning", "summary")

# What `response.<name>.delta` and `response.<name>.done` carry.
_CHANNELS: dict[str, Channel] = {
    "output_text": "answer",
    "audio.transcript": "answer",
    "refusal": "refusal",
    "reasoning_text": "reasoning",
    "reasoning_summary_text": "summary",
    "function_call_arguments": "call",
    "mcp_call_arguments": "call",
    "custom_tool_call_input": "call",
    "code_interpreter_call_code": "call",
    "shell_call_command": "call",
    # Names of earlier versions of the protocol.
    "reasoning": "reasoning",
    "reasoning_summary": "summary",
}
# Events with a part of an item, and what it is; None if its type tells. vLLM has a name of its own for reasoning.
_PART_EVENTS: dict[str, Channel | None] = {
    "content_part": None,
    "reasoning_summary_part": "summary",
    "reasoning_part": "reasoning",
}
_PARTS: dict[str, Channel] = {
    "output_text": "answer",
    "text": "answer",
    "refusal": "refusal",
    "reasoning_text": "reasoning",
    "summary_text": "summary",
}
# Fields of events, parts and items that hold their text.
_TEXTS = ("delta", "text", "refusal", "arguments", "input", "code", "command")
# Events that end a response. OpenRouter's is `response.done`.
_ENDS = frozenset({"completed", "incomplete", "failed", "cancelled", "done"})
_DELTA = "delta"
# An item is known by its index and by its id. Events of some servers tell neither.
Place = int | str | None
Places = tuple[Place, ...]
_NOWHERE: Places = (None,)


class _Response(AnswerDecoder):
    """The events of a streamed response, or a whole response in one document.

    The protocol says each text several times: piece by piece, then whole in the events that end its text, its part, its
    item and the response. The text is taken from the first of these levels that has it; all others repeat it.
    """

    cache_in_input = True
    # Those of events with text. All other documents are searched for errors.
    usual_fields = frozenset(
        {"type", "sequence_number", "output_index", "item_id", "content_index", "summary_index"}
        | {"delta", "text", "arguments", "logprobs", "obfuscation", "part", "item", "response"}
    )

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(headers)
        # The level that gave the text of each channel, by the places of its item.
        self._levels: dict[Channel, dict[Place, str]] = {}
        # An item of reasoning is open, and it has shown no text so far.
        self._silent_reasoning = False

    def decode(self, document: dict[str, Any], raw: ServerSentEvent) -> list[StreamEvent]:
        kind = text_of(document.get("type")) or raw.event
        if not kind.startswith("response."):
            return [failure_of(document)] if kind == "error" else self._without_type(document, raw)
        name, _, step = kind.removeprefix("response.").rpartition(".")
        if not name and (step in _ENDS or "response" in document):
            return self._response(object_of(document.get("response")), step, document, raw)
        level = _DELTA if step in ("delta", "added") else kind
        places = _places_of(document)
        events: list[StreamEvent] = []
        if (channel := _CHANNELS.get(name)) is not None:
            events = self._text(channel, _text_in(document), level, places)
        elif name in _PART_EVENTS:
            part = object_of(document.get("part"))
            events = self._text(_PART_EVENTS[name] or _channel_of(part), _text_in(part), level, places)
        elif name == "output_item":
            events = self._item(object_of(document.get("item")), level, places)
        if isinstance(document.get("usage"), dict):
            events += self.report_usage(document)
        return events or [Step() if name and step != _DELTA else Other()]

    def _without_type(self, document: dict[str, Any], raw: ServerSentEvent) -> list[StreamEvent]:
        """The events of a document that is no event of the protocol: a whole response, or usage alone."""
        if document.get("object") == "response" or isinstance(document.get("output"), list):
            if not self.token_seen:
                self.facts.flags.add("not_streamed")
            return self._response(document, text_of(document.get("status")) or "completed", document, raw)
        return [*self.report_usage(document)] or [Other()]

    def _response(
        self, response: dict[str, Any], step: str, document: dict[str, Any], raw: ServerSentEvent
    ) -> list[StreamEvent]:
        """The events of a response as a whole. `step`: its state, as the name of the event has it."""
        self.facts.id = answer_id(response) or self.facts.id
        self.facts.model = word_of(response.get("model")) or self.facts.model
        if step not in _ENDS:
            return [Other()]
        self.facts.service_tier = word_of(response.get("service_tier")) or self.facts.service_tier
        events: list[StreamEvent] = []
        for item in objects_of(response.get("output")):
            events += self._item(item, "response", _NOWHERE)
        self._end_reasoning()
        for report in self.report_usage(response if response.get("usage") else document):
            events.append(report)
            self._see_billed(report)
        ends = self._ends(response, step)
        return events + ends if any(isinstance(end, Failure) for end in ends) else [*events, *ends, Done()]

    def _ends(self, response: dict[str, Any], step: str) -> list[StreamEvent]:
        if (failure := find_error({"error": response.get("error")})) is not None:
            return [failure]
        # Some servers, such as vLLM, complete a response whose own status is another one.
        states = (step, text_of(response.get("status")))
        state = next((bad for bad in ("failed", "cancelled", "incomplete") if bad in states), "completed")
        reason = text_of(object_of(response.get("incomplete_details")).get("reason"))
        return self.finish_events(reason if reason and state in ("incomplete", "completed") else state)

    def _see_billed(self, report: UsageReport) -> None:
        if report.usage.reasoning_tokens == 0:
            # What looked like hidden reasoning was none: an empty item, or a summary that is the whole reasoning.
            self.facts.hidden_reasoning = HiddenReasoning.NONE

    def _item(self, item: dict[str, Any], level: str, places: Places) -> list[StreamEvent]:
        if item.get("type") == "reasoning" and level != _DELTA:
            return self._reasoning_item(item, level, places)
        self._end_reasoning()
        if level == _DELTA:
            self._silent_reasoning = item.get("type") == "reasoning"
        events: list[StreamEvent] = []
        # The first event of an item has no parts yet: events of their own bring them.
        for part in _parts(item.get("content")) if level != _DELTA else ():
            events += self._text(_channel_of(part), _text_in(part), level, places)
        events += self._text("name", text_of(item.get("name")), level, places)
        events += self._text("call", _text_in(item), level, places)
        return events

    def _reasoning_item(self, item: dict[str, Any], level: str, places: Places) -> list[StreamEvent]:
        """The events of an item of reasoning that has ended."""
        events: list[StreamEvent] = []
        for part in _parts(item.get("summary")):
            events += self._text("summary", _text_in(part), level, places)
        for part in _parts(item.get("content")):
            events += self._text("reasoning", _text_in(part), level, places)
        shown = any(self._seen(channel, places) for channel in _THOUGHTS)
        if shown:
            self._silent_reasoning = False
        elif level != "response" or not self.token_seen:
            # The whole response does not tell whether hidden reasoning came before the text that has arrived.
            self._silent_reasoning = True
        self._end_reasoning()
        return events

    def _end_reasoning(self) -> None:
        """Models without a summary send items of reasoning without any text, but bill it."""
        if self._silent_reasoning:
            self._silent_reasoning = False
            self.note_hidden_reasoning()

    def _text(self, channel: Channel, text: str, level: str, places: Places) -> list[StreamEvent]:
        """The events of a text, unless it repeats what another level has said."""
        if not text or self._repeats(channel, level, places):
            return []
        if level != _DELTA and channel not in _THOUGHTS and not self._answered:
            self.facts.flags.add("not_streamed")
        levels = self._levels.setdefault(channel, {})
        for place in places:
            levels.setdefault(place, level)
        if channel in _THOUGHTS:
            self._silent_reasoning = False
            if channel == "summary":
                # Nobody knows how much of the reasoning was generated within the visible span.
                self.facts.hidden_reasoning = HiddenReasoning.WITHIN
            return self._think_tags.beside(Reasoning(text))
        self._end_reasoning()
        if channel == "answer":
            return self.answer_events(text)
        if channel == "refusal":
            self.facts.flags.add("refused")
            return self._think_tags.beside(Content(text))
        return self._think_tags.beside(ToolCall(text))

    def _repeats(self, channel: Channel, level: str, places: Places) -> bool:
        seen = self._levels.get(channel)
        if not seen:
            return False
        if known := {seen[place] for place in places if place in seen}:
            return level not in known
        return self._seen(channel, places) and any(other != level for other in seen.values())

    def _seen(self, channel: Channel, places: Places) -> bool:
        """Whether this item may have shown text in this channel."""
        seen = self._levels.get(channel, {})
        if None in seen or any(place in seen for place in places):
            return True
        # An index says nothing about an id.
        return bool(seen) and not {type(place) for place in places} & {type(place) for place in seen}

    @property
    def _answered(self) -> bool:
        return any(channel not in _THOUGHTS for channel in self._levels)


def _places_of(document: dict[str, Any]) -> Places:
    """The places of an event's item: some servers give it another index in its last events, or another id in each."""
    index = document.get("output_index")
    item_id = text_of(document.get("item_id")) or text_of(object_of(document.get("item")).get("id"))
    return (*([index] if isinstance(index, int) else []), *([item_id] if item_id else [])) or _NOWHERE


def _channel_of(part: dict[str, Any]) -> Channel:
    return _PARTS.get(text_of(part.get("type")), "answer")


def _parts(value: Any) -> list[dict[str, Any]]:
    """The parts of an item. Some servers have a bare text in their place."""
    return [{"text": value}] if isinstance(value, str) else objects_of(value)


def _text_in(holder: dict[str, Any]) -> str:
    """The text of an event, a part or the call in an item."""
    for name in _TEXTS:
        value = holder.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, dict) and value:
            # Earlier versions had `delta: {"text": …}`. Some servers send arguments as an object.
            return text_of(value.get("text")) if name == _DELTA else json_text(value)
    return ""
