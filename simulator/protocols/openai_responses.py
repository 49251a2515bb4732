"""The OpenAI Responses wire format: request checks, typed events, bodies and errors."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import orjson

from simulator.answer import Answer, Finish, Piece
from simulator.fault import FaultKind
from simulator.profile import Profile
from simulator.protocols.call import Call, Event
from simulator.protocols.openai_api import (
    OpenAiApi,
    check_messages,
    error_object,
    invalid,
    limit,
    model_and_messages,
    wants_stream,
)
from simulator.protocols.openai_items import FunctionCall, Item, ItemWithPart, Message, Reasoning, Summary
from simulator.text import input_tokens

# The real API refuses smaller limits.
_LEAST_TOKENS = 16
# Parameters of chat completions that the real API refuses here.
_UNKNOWN = ("messages", "max_tokens", "stop", "seed", "frequency_penalty", "presence_penalty")


class OpenAiResponses(OpenAiApi):
    """`POST /v1/responses`."""

    name = "openai-responses"
    path = "/v1/responses"
    messages_field = "input"

    def parse(self, number: int, body: Any, headers: Mapping[str, str], created: int) -> Call:
        model, items = model_and_messages(body, self.messages_field)
        if not isinstance(items, str):
            check_messages(items, self.messages_field)
        instructions = body.get("instructions")
        if not isinstance(instructions, str | None):
            raise invalid("Invalid type for 'instructions': expected a string.", "instructions", "invalid_type")
        for name in _UNKNOWN:
            if name in body:
                raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        return Call(
            number=number,
            model=model,
            stream=wants_stream(body),
            max_tokens=limit(body, "max_output_tokens", _LEAST_TOKENS),
            stops=(),
            input_tokens=input_tokens(instructions, items),
            created=created,
            tool_name=_tool_name(body),
        )

    def events(self, call: Call, answer: Answer, profile: Profile) -> Iterator[Event]:
        return _Stream(call, answer, profile).events()

    def body(self, call: Call, answer: Answer, profile: Profile) -> bytes:
        items = []
        if answer.reasoning:
            text = "".join(piece.text for piece in answer.reasoning)
            items.append(_thought(call, profile).whole(text, "completed"))
        if text := "".join(piece.text for piece in answer.pieces):
            items.append(_said(call, profile).whole(text, _state(answer)))
        return orjson.dumps(_ended(call, answer, items))

    def error_event(self, call: Call) -> bytes:
        """The real API says it twice: as an error, then as the state of the response."""
        error = error_object(self.problem(500, call.model))["error"]
        failed = _response(call, "failed", error={"code": error["type"], "message": error["message"]})
        return _frame("error", error=error, sequence_number=0) + _frame(
            "response.failed", response=failed, sequence_number=0
        )


class _Stream:
    """The events of one streamed response."""

    def __init__(self, call: Call, answer: Answer, profile: Profile) -> None:
        self._call = call
        self._answer = answer
        self._profile = profile
        self._number = -1
        self._slot = 0
        self._items: list[dict[str, Any]] = []
        # The whole text of an endless answer would fill the memory, and is never sent.
        self._endless = profile.fault is not None and profile.fault.kind is FaultKind.ENDLESS

    def events(self) -> Iterator[Event]:
        call, answer = self._call, self._answer
        for kind in ("response.created", "response.in_progress"):
            yield self._event(kind, response=_response(call, "in_progress"))
        if answer.reasoning:
            yield from self._item(_thought(call, self._profile), answer.reasoning, "completed")
        pieces = iter(answer.pieces)
        first = next(pieces, None)
        if first is not None:
            yield from self._item(_said(call, self._profile), chain([first], pieces), _state(answer))
        ended = _ended(call, answer, self._items)
        self._slot = max(self._slot, 1)
        yield self._event(f"response.{ended['status']}", response=ended)

    def _item(self, item: Item, pieces: Iterable[Piece], state: str) -> Iterator[Event]:
        index = len(self._items)
        place = {"item_id": item.id, "output_index": index}
        inner = {**place, **item.inner}
        yield self._event("response.output_item.added", output_index=index, item=item.begun())
        if isinstance(item, ItemWithPart):
            yield self._event(f"{item.part_event}.added", **inner, part=item.part(""))
        name = f"{item.text_event}.delta"
        head = b'event: %b\ndata: {"type":"%b",%b,"delta":' % (
            name.encode(),
            name.encode(),
            orjson.dumps({**inner, **item.more})[1:-1],
        )
        texts: list[str] = []
        for piece in pieces:
            data = head + orjson.dumps(piece.text) + b',"sequence_number":%d}\n\n' % self._next()
            yield Event(self._slot, data, piece.tokens)
            self._slot += 1
            if not self._endless:
                texts.append(piece.text)
        text = "".join(texts)
        whole = item.whole(text, state)
        yield self._event(f"{item.text_event}.done", **inner, **item.more, **{item.text_field: text})
        if isinstance(item, ItemWithPart):
            yield self._event(f"{item.part_event}.done", **inner, part=item.part(text))
        yield self._event("response.output_item.done", output_index=index, item=whole)
        self._items.append(whole)

    def _next(self) -> int:
        """The number of the next event."""
        self._number += 1
        return self._number

    def _event(self, kind: str, **fields: Any) -> Event:
        """An event without a token. It is sent with the text before it; the first ones stand before all text."""
        return Event(self._slot - 1, _frame(kind, **fields, sequence_number=self._next()))


def _thought(call: Call, profile: Profile) -> Item:
    return Summary(call) if profile.summary else Reasoning(call)


def _said(call: Call, profile: Profile) -> Item:
    return FunctionCall(call) if profile.tool else Message(call)


def _state(answer: Answer) -> str:
    return "incomplete" if answer.finish is Finish.LENGTH else "completed"


def _ended(call: Call, answer: Answer, items: list[dict[str, Any]]) -> dict[str, Any]:
    state = _state(answer)
    reason = {"reason": "max_output_tokens"} if state == "incomplete" else None
    usage = {
        "input_tokens": call.input_tokens,
        "input_tokens_details": {"cached_tokens": call.cache.tokens, "cache_write_tokens": 0},
        "output_tokens": answer.output_tokens,
        "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        "total_tokens": call.input_tokens + answer.output_tokens,
    }
    return _response(call, state, incomplete_details=reason, output=items, service_tier="default", usage=usage)


def _response(call: Call, status: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"resp_{call.number:08d}",
        "object": "response",
        "created_at": call.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": call.model,
        "output": [],
        "parallel_tool_calls": True,
        "service_tier": "auto",
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
        **fields,
    }


def _tool_name(body: dict[str, Any]) -> str:
    tools = body.get("tools")
    first = tools[0] if isinstance(tools, list) and tools else None
    named = first.get("name") if isinstance(first, dict) else None
    return named if isinstance(named, str) else "lookup"


def _frame(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps({"type": kind, **fields}))
