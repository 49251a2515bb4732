"""The OpenAI chat-completions wire format: request checks, SSE chunks, bodies and errors."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from simulator.answer import Answer, Finish
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
from simulator.text import input_tokens

_FINISH_REASONS = {
    Finish.STOP: "stop",
    Finish.LENGTH: "length",
    Finish.TOOL: "tool_calls",
    Finish.STOP_SEQUENCE: "stop",
}
_FINGERPRINT = "fp_5180000000"


class OpenAiChat(OpenAiApi):
    """`POST /v1/chat/completions`."""

    name = "openai"
    path = "/v1/chat/completions"
    messages_field = "messages"

    def parse(self, number: int, body: Any, headers: Mapping[str, str], created: int) -> Call:
        model, messages = model_and_messages(body, self.messages_field)
        check_messages(messages, self.messages_field)
        if body.get("n") not in (None, 1):
            raise invalid("Invalid 'n': the simulator gives one choice.", "n", "unsupported_value")
        stream = wants_stream(body)
        return Call(
            number=number,
            model=model,
            stream=stream,
            max_tokens=_max_tokens(body),
            stops=_stops(body),
            input_tokens=input_tokens(messages),
            created=created,
            has_stream_options=body.get("stream_options") is not None,
            include_usage=_include_usage(body, stream),
            tool_name=_tool_name(body),
        )

    def adapt(self, profile: Profile, call: Call) -> Profile:
        if profile.no_stream_options and call.has_stream_options:
            # What servers said that were older than the parameter.
            raise invalid("Unrecognized request argument supplied: stream_options")
        return profile

    def events(self, call: Call, answer: Answer, profile: Profile) -> Iterator[Event]:
        with_usage = call.include_usage and not profile.no_usage
        head, tail = _chunk_frame(call, with_usage)
        pieces = iter(answer.pieces)
        piece = next(pieces, None)
        calls_tool = profile.tool and piece is not None
        role: dict[str, Any] = {"role": "assistant", "content": ""}
        call_head = {"tool_calls": [{"index": 0, **_tool_call(call, "")}]}
        if calls_tool and not answer.reasoning:
            role = {"role": "assistant", "content": None, **call_head}
        yield Event(-1, head + orjson.dumps(role) + tail)
        slot = 0
        for thought in answer.reasoning:
            yield Event(
                slot, head + b'{"reasoning_content":' + orjson.dumps(thought.text) + b"}" + tail, thought.tokens
            )
            slot += 1
        if calls_tool and answer.reasoning:
            yield Event(slot, head + orjson.dumps(call_head) + tail)
        before, after = b'{"content":', b"}"
        if calls_tool:
            before, after = b'{"tool_calls":[{"index":0,"function":{"arguments":', b"}}]}"
        while piece is not None:
            yield Event(slot, head + before + orjson.dumps(piece.text) + after + tail, piece.tokens)
            slot += 1
            piece = next(pieces, None)
        last = max(slot - 1, 0)
        finish = b'"finish_reason":"' + _FINISH_REASONS[answer.finish].encode() + b'"'
        yield Event(last, head + b"{}" + tail.replace(b'"finish_reason":null', finish))
        if with_usage:
            chunk = {**_envelope(call, "chat.completion.chunk"), "choices": [], "usage": _usage(call, answer)}
            yield Event(last, b"data: %b\n\n" % orjson.dumps(chunk))
        if not profile.no_done:
            yield Event(last, b"data: [DONE]\n\n")

    def body(self, call: Call, answer: Answer, profile: Profile) -> bytes:
        text = "".join(piece.text for piece in answer.pieces)
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
        if answer.reasoning:
            message["reasoning_content"] = "".join(piece.text for piece in answer.reasoning)
        if profile.tool and text:
            message |= {"content": None, "tool_calls": [_tool_call(call, text)]}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH_REASONS[answer.finish]}
        completion = {**_envelope(call, "chat.completion"), "choices": [choice]}
        if not profile.no_usage:
            completion["usage"] = _usage(call, answer)
        return orjson.dumps(completion)

    def error_event(self, call: Call) -> bytes:
        return b"data: %b\n\n" % orjson.dumps(error_object(self.problem(500, call.model)))


def _max_tokens(body: dict[str, Any]) -> int | None:
    names = [name for name in ("max_tokens", "max_completion_tokens") if body.get(name) is not None]
    if len(names) == 2:
        text = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise invalid(text, "max_tokens", "invalid_parameter_combination")
    return limit(body, names[0], 1) if names else None


def _stops(body: dict[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop") or []
    stops = [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(each, str) for each in stops):
        raise invalid("Invalid type for 'stop': expected a string or an array of strings.", "stop", "invalid_type")
    if len(stops) > 4:
        text = "Invalid 'stop': array too long. Expected an array with maximum length 4."
        raise invalid(text, "stop", "array_above_max_length")
    return tuple(stops)


def _include_usage(body: dict[str, Any], stream: bool) -> bool:
    options = body.get("stream_options")
    if options is None:
        return False
    if not stream:
        text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise invalid(text, "stream_options")
    if not isinstance(options, dict):
        text = "Invalid type for 'stream_options': expected an object."
        raise invalid(text, "stream_options", "invalid_type")
    return options.get("include_usage") is True


def _tool_name(body: dict[str, Any]) -> str:
    tools = body.get("tools")
    first = tools[0] if isinstance(tools, list) and tools else None
    function = first.get("function") if isinstance(first, dict) else None
    named = function.get("name") if isinstance(function, dict) else None
    return named if isinstance(named, str) else "lookup"


def _envelope(call: Call, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{call.number:08d}",
        "object": kind,
        "created": call.created,
        "model": call.model,
        "service_tier": "default",
        "system_fingerprint": _FINGERPRINT,
    }


def _chunk_frame(call: Call, with_usage: bool) -> tuple[bytes, bytes]:
    """What stands before and after the delta in every chunk of one stream."""
    head = orjson.dumps(_envelope(call, "chat.completion.chunk"))[:-1]
    usage = b',"usage":null' if with_usage else b""
    tail = b',"logprobs":null,"finish_reason":null}]' + usage + b"}\n\n"
    return b"data: " + head + b',"choices":[{"index":0,"delta":', tail


def _tool_call(call: Call, arguments: str) -> dict[str, Any]:
    function = {"name": call.tool_name, "arguments": arguments}
    return {"id": f"call_{call.number:08d}", "type": "function", "function": function}


def _usage(call: Call, answer: Answer) -> dict[str, Any]:
    return {
        "prompt_tokens": call.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": call.input_tokens + answer.output_tokens,
        "prompt_tokens_details": {"cached_tokens": call.cache.tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": answer.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
