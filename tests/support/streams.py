"""Byte streams as the providers send them, built from what they say."""

from typing import Any

import orjson


def sse(*documents: dict[str, Any] | str, named: bool = False) -> bytes:
    """Events with these JSON documents; `named` gives each its `type` as event name, as Anthropic does."""
    out = b""
    for document in documents:
        if isinstance(document, str):
            out += b"data: " + document.encode() + b"\n\n"
            continue
        if named:
            out += b"event: " + str(document["type"]).encode() + b"\n"
        out += b"data: " + orjson.dumps(document) + b"\n\n"
    return out


def openai_chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": choices, **more}


def openai_text(*texts: str) -> list[dict[str, Any]]:
    return [openai_chunk({"content": text}) for text in texts]


OPENAI_USAGE = openai_chunk(None, usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15})


def openai_stream(*texts: str, usage: dict[str, Any] | None = None, done: bool = True) -> bytes:
    """A whole answer."""
    chunks: list[Any] = [openai_chunk({"role": "assistant", "content": ""}), *openai_text(*texts)]
    chunks.append(openai_chunk({}, "stop"))
    if usage is not None:
        chunks.append(openai_chunk(None, usage=usage))
    return sse(*chunks, *(["[DONE]"] if done else []))


def message_start(**usage: Any) -> dict[str, Any]:
    counts = {"input_tokens": 25, "output_tokens": 1, **usage}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m", "usage": counts}
    return {"type": "message_start", "message": message}


def anthropic_text(*texts: str) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts
    ]


def message_delta(stop_reason: str | None = "end_turn", **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": usage}


def anthropic_stream(*texts: str, start: dict[str, Any] | None = None, end: dict[str, Any] | None = None) -> bytes:
    """A whole answer; `start` and `end` are usage fields of `message_start` and `message_delta`."""
    return sse(
        message_start(**(start or {})),
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *anthropic_text(*texts),
        {"type": "content_block_stop", "index": 0},
        message_delta(**(end or {"output_tokens": 15})),
        {"type": "message_stop"},
        named=True,
    )
