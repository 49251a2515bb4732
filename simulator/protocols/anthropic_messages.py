"""The Anthropic Messages wire format: request checks, SSE events, bodies and errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from simulator.answer import Answer, Finish
from simulator.profile import Profile
from simulator.protocols.call import Call, Event, Problem, Refused, count_or_none
from simulator.protocols.wire_format import WireFormat
from simulator.text import input_tokens

_STOP_REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL: "tool_use",
    Finish.STOP_SEQUENCE: "stop_sequence",
}
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_MESSAGES = {
    400: "messages.0.content: Input should be a valid string",
    401: "invalid x-api-key",
    429: "This request would exceed your organization's rate limit of 50 requests per minute.",
    500: "Internal server error",
    503: "Service unavailable",
    529: "Overloaded",
}
# The models here have no birthday of their own.
_CREATED_AT = "2024-03-07T00:00:00Z"
_SIGNATURE = "c2ltdWxhdG9yLXNpZ25hdHVyZQ=="


class AnthropicMessages(WireFormat):
    """`POST /v1/messages`."""

    name = "anthropic"
    path = "/v1/messages"
    failed_status = 529

    def is_for(self, path: str, headers: Mapping[str, str]) -> bool:
        return "anthropic-version" in headers or super().is_for(path, headers)

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-api-key") or super().key_of(headers)

    def response_headers(self, number: int) -> dict[str, str]:
        return {"request-id": f"req_{number:08d}"}

    def parse(self, number: int, body: Any, headers: Mapping[str, str], created: int) -> Call:
        if "anthropic-version" not in headers:
            raise _invalid("anthropic-version: header is required")
        if not isinstance(body, dict):
            raise _invalid("Input should be a valid dictionary")
        for field in ("model", "max_tokens", "messages"):
            if field not in body:
                raise _invalid(f"{field}: Field required")
        model, messages, max_tokens = body["model"], body["messages"], count_or_none(body["max_tokens"])
        if not isinstance(model, str):
            raise _invalid("model: Input should be a valid string")
        if not model:
            raise _invalid("model: String should have at least 1 character")
        if max_tokens is None:
            raise _invalid("max_tokens: Input should be a valid integer")
        if max_tokens < 1:
            raise _invalid("max_tokens: must be greater than or equal to 1")
        _check_messages(messages)
        stops = body.get("stop_sequences") or []
        if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
            raise _invalid("stop_sequences: Input should be a valid list")
        stream = body.get("stream")
        if stream is None:
            stream = False
        if not isinstance(stream, bool):
            raise _invalid("stream: Input should be a valid boolean")
        return Call(
            number=number,
            model=model,
            stream=stream,
            max_tokens=max_tokens,
            stops=tuple(stops),
            input_tokens=input_tokens(body.get("system"), messages),
            created=created,
            tool_name=_tool_name(body),
        )

    def events(self, call: Call, answer: Answer, profile: Profile) -> Iterator[Event]:
        yield _event(-1, "message_start", message=_message(call, [], None, None, 1))
        ping = _event(-1, "ping")
        index = slot = 0
        if answer.reasoning:
            block = {"type": "thinking", "thinking": "", "signature": ""}
            yield _event(-1, "content_block_start", index=0, content_block=block)
            yield ping
            head, tail = _delta_frame(0, "thinking_delta", "thinking")
            for thought in answer.reasoning:
                yield Event(slot, head + orjson.dumps(thought.text) + tail, thought.tokens)
                slot += 1
            signature = {"type": "signature_delta", "signature": _SIGNATURE}
            yield _event(slot - 1, "content_block_delta", index=0, delta=signature)
            yield _event(slot - 1, "content_block_stop", index=0)
            index = 1
        pieces = iter(answer.pieces)
        piece = next(pieces, None)
        start = slot if answer.reasoning else -1
        if piece is not None:
            kind, key = ("input_json_delta", "partial_json") if profile.tool else ("text_delta", "text")
            yield _event(start, "content_block_start", index=index, content_block=_empty_block(call, profile))
            head, tail = _delta_frame(index, kind, key)
            if not answer.reasoning:
                yield ping
            if profile.tool:  # the real API opens a tool call with an empty delta
                yield Event(start, head + b'""' + tail)
            while piece is not None:
                yield Event(slot, head + orjson.dumps(piece.text) + tail, piece.tokens)
                slot += 1
                piece = next(pieces, None)
            yield _event(slot - 1, "content_block_stop", index=index)
        elif not answer.reasoning:
            yield ping
        last = max(slot - 1, 0)
        delta = {"stop_reason": _STOP_REASONS[answer.finish], "stop_sequence": answer.stop_sequence}
        usage: dict[str, Any] = {
            "input_tokens": call.input_tokens - call.cache.tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": call.cache.tokens,
            "output_tokens": _output_tokens(answer),
        }
        if answer.reasoning_tokens:
            usage["output_tokens_details"] = {"thinking_tokens": answer.reasoning_tokens}
        yield _event(last, "message_delta", delta=delta, usage=usage)
        yield _event(last, "message_stop")

    def body(self, call: Call, answer: Answer, profile: Profile) -> bytes:
        content: list[dict[str, Any]] = []
        if answer.reasoning:
            thinking = "".join(piece.text for piece in answer.reasoning)
            content.append({"type": "thinking", "thinking": thinking, "signature": _SIGNATURE})
        text = "".join(piece.text for piece in answer.pieces)
        if text and profile.tool:
            content.append({**_empty_block(call, profile), "input": _arguments(text)})
        elif text:
            content.append({"type": "text", "text": text})
        reason = _STOP_REASONS[answer.finish]
        message = _message(call, content, reason, answer.stop_sequence, _output_tokens(answer))
        if answer.reasoning_tokens:
            message["usage"]["output_tokens_details"] = {"thinking_tokens": answer.reasoning_tokens}
        return orjson.dumps(message)

    def problem(self, status: int, model: str, reason: str | None = None) -> Problem:
        if status == 404:
            return Problem(404, f"model: {model}" + (f": {reason}" if reason else ""))
        if status == 200:  # an error inside a success is an overload noticed too late
            return Problem(200, _MESSAGES[529], kind="overloaded_error")
        return Problem(status, _MESSAGES.get(status, "Internal server error"))

    def error_body(self, problem: Problem, number: int) -> bytes:
        return orjson.dumps({**_error(problem), "request_id": f"req_{number:08d}"})

    def error_event(self, call: Call) -> bytes:
        return b"event: error\ndata: %b\n\n" % orjson.dumps(_error(self.problem(529, call.model)))

    def model(self, model: str) -> dict[str, Any]:
        return {"type": "model", "id": model, "display_name": model, "created_at": _CREATED_AT}

    def model_list(self, models: Sequence[str]) -> bytes:
        data = [self.model(model) for model in models]
        return orjson.dumps({"data": data, "has_more": False, "first_id": models[0], "last_id": models[-1]})


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list):
        raise _invalid("messages: Input should be a valid list")
    if not messages:
        raise _invalid("messages: at least one message is required")
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise _invalid(f"messages.{index}: Input should be a valid dictionary")
        for field in ("role", "content"):
            if field not in message:
                raise _invalid(f"messages.{index}.{field}: Field required")
        if message["role"] not in ("user", "assistant"):
            raise _invalid(f"messages.{index}.role: Input should be 'user' or 'assistant'")


def _tool_name(body: dict[str, Any]) -> str:
    tools = body.get("tools")
    first = tools[0] if isinstance(tools, list) and tools else None
    named = first.get("name") if isinstance(first, dict) else None
    return named if isinstance(named, str) else "lookup"


def _invalid(message: str) -> Refused:
    return Refused(Problem(400, message))


def _output_tokens(answer: Answer) -> int:
    # The real API counts at least one token, even for an empty answer.
    return max(1, answer.output_tokens)


def _arguments(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # cut by max_tokens
        return {}


def _empty_block(call: Call, profile: Profile) -> dict[str, Any]:
    if profile.tool:
        return {"type": "tool_use", "id": f"toolu_{call.number:08d}", "name": call.tool_name, "input": {}}
    return {"type": "text", "text": ""}


def _message(
    call: Call, content: list[dict[str, Any]], reason: str | None, stop: str | None, output_tokens: int
) -> dict[str, Any]:
    return {
        "model": call.model,
        "id": f"msg_{call.number:08d}",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": stop,
        "usage": {
            "input_tokens": call.input_tokens - call.cache.tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": call.cache.tokens,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": output_tokens,
            "service_tier": "standard",
        },
    }


def _event(slot: int, kind: str, **fields: Any) -> Event:
    return Event(slot, b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps({"type": kind, **fields})))


def _delta_frame(index: int, kind: str, key: str) -> tuple[bytes, bytes]:
    """What stands before and after the text in every delta of one block."""
    head = f'event: content_block_delta\ndata: {{"type":"content_block_delta","index":{index},"delta":{{"type":"{kind}"'
    return f'{head},"{key}":'.encode(), b"}}\n\n"


def _error(problem: Problem) -> dict[str, Any]:
    kind = problem.kind or _ERROR_TYPES.get(problem.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": problem.message}}
