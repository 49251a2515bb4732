"""The output items of a response, as the Responses wire format streams them."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from simulator.protocols.call import Call


class Item(ABC):
    """One kind of item. Its text is streamed by `text_event`."""

    text_event: ClassVar[str]
    # The field of the last text event that has the whole text.
    text_field: ClassVar[str] = "text"
    # Fields that say which part of the item an event is about.
    inner: ClassVar[dict[str, int]] = {}
    # Further fields of the events with text.
    more: ClassVar[dict[str, Any]] = {}
    prefix: ClassVar[str]

    def __init__(self, call: Call) -> None:
        self.id = f"{self.prefix}_{call.number:08d}"
        self._call = call

    @abstractmethod
    def begun(self) -> dict[str, Any]:
        """The item before its text."""

    @abstractmethod
    def whole(self, text: str, status: str) -> dict[str, Any]:
        """The item when it has ended."""


class ItemWithPart(Item):
    """An item whose text stands in a part, which `part_event` begins and ends."""

    part_event: ClassVar[str]

    @abstractmethod
    def part(self, text: str) -> dict[str, Any]:
        """The part with its text so far."""


class Message(ItemWithPart):
    text_event = "response.output_text"
    part_event = "response.content_part"
    inner: ClassVar[dict[str, int]] = {"content_index": 0}
    more: ClassVar[dict[str, Any]] = {"logprobs": []}
    prefix = "msg"

    def begun(self) -> dict[str, Any]:
        return {"id": self.id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}

    def whole(self, text: str, status: str) -> dict[str, Any]:
        return {**self.begun(), "status": status, "content": [self.part(text)]}

    def part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


class FunctionCall(Item):
    text_event = "response.function_call_arguments"
    text_field = "arguments"
    prefix = "fc"

    def begun(self) -> dict[str, Any]:
        return self.whole("", "in_progress")

    def whole(self, text: str, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "function_call",
            "status": status,
            "call_id": f"call_{self._call.number:08d}",
            "name": self._call.tool_name,
            "arguments": text,
        }


class Reasoning(ItemWithPart):
    """Reasoning with its text, as open models show it."""

    text_event = "response.reasoning_text"
    part_event = "response.content_part"
    inner: ClassVar[dict[str, int]] = {"content_index": 0}
    prefix = "rs"

    def begun(self) -> dict[str, Any]:
        return {"id": self.id, "type": "reasoning", "summary": []}

    def whole(self, text: str, status: str) -> dict[str, Any]:
        return {**self.begun(), "content": [self.part(text)]}

    def part(self, text: str) -> dict[str, Any]:
        return {"type": "reasoning_text", "text": text}


class Summary(ItemWithPart):
    """Reasoning of which only a summary is shown, as OpenAI's models do."""

    text_event = "response.reasoning_summary_text"
    part_event = "response.reasoning_summary_part"
    inner: ClassVar[dict[str, int]] = {"summary_index": 0}
    prefix = "rs"

    def begun(self) -> dict[str, Any]:
        return {"id": self.id, "type": "reasoning", "summary": []}

    def whole(self, text: str, status: str) -> dict[str, Any]:
        return {**self.begun(), "summary": [self.part(text)]}

    def part(self, text: str) -> dict[str, Any]:
        return {"type": "summary_text", "text": text}
