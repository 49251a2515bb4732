"""The repeated parts of streams, byte for byte as providers write them."""

from typing import Any

import orjson

DONE = b"data: [DONE]\n\n"


def data(document: Any) -> bytes:
    """An event without a name."""
    return b"data: " + orjson.dumps(document) + b"\n\n"


def named(document: dict[str, Any]) -> bytes:
    """An event that is named after its `type`, as Anthropic sends them."""
    return b"event: " + str(document["type"]).encode() + b"\n" + data(document)


# OpenAI's chat completions.


def completion(*choices: dict[str, Any], model: str = "m", **more: Any) -> dict[str, Any]:
    """The document of a chunk."""
    return {"id": "c1", "object": "chat.completion.chunk", "model": model, "choices": list(choices), **more}


def choice(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish, **more}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """A chunk with one choice. `more`: further fields of the chunk."""
    return data(completion(choice(delta, finish), **more))


def text(*texts: str) -> bytes:
    return b"".join(chunk({"content": text}) for text in texts)


def counts(prompt: Any, output: Any, total: Any = None, **more: Any) -> dict[str, Any]:
    """A usage object. `total`: None for the sum."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output if total is None else total,
        **more,
    }


def usage(prompt: Any, output: Any, total: Any = None, *, of: dict[str, Any] | None = None, **more: Any) -> bytes:
    """The chunk without choices that carries the usage. `of`: further fields of the chunk, `more`: of the usage."""
    return data(completion(usage=counts(prompt, output, total, **more), **(of or {})))


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop")
# What most streams begin with, in one read.
HI = ROLE + text("Hi")


def answer(*texts: str, usage: bytes = usage(3, 2), end: bytes = DONE) -> bytes:
    """A whole answer."""
    return ROLE + text(*texts) + STOP + usage + end


def last(words: str, prompt: Any, output: Any, total: Any = None, **more: Any) -> bytes:
    """The last text with the finish reason, the usage (`more`: further fields of it) and the end."""
    return chunk({"content": words}, "stop") + usage(prompt, output, total, **more) + DONE


def whole(message: dict[str, Any], finish: str = "stop", **more: Any) -> bytes:
    """A whole completion in one JSON document, as a server sends it that does not stream."""
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    return orjson.dumps({"id": "c1", "object": "chat.completion", "choices": choices, **more})


# Anthropic's messages.


def message_start(**usage: Any) -> bytes:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    return named({"type": "message_start", "message": message})


def block_start(block: dict[str, Any], index: int = 0) -> bytes:
    return named({"type": "content_block_start", "index": index, "content_block": block})


def block_delta(delta: dict[str, Any], index: int = 0) -> bytes:
    return named({"type": "content_block_delta", "index": index, "delta": delta})


def block_text(text: str, index: int = 0) -> bytes:
    return block_delta({"type": "text_delta", "text": text}, index)


def block_stop(index: int = 0) -> bytes:
    return named({"type": "content_block_stop", "index": index})


def message_delta(stop_reason: str | None = "end_turn", **usage: Any) -> bytes:
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return named({"type": "message_delta", "delta": delta, "usage": usage})


TEXT_BLOCK = {"type": "text", "text": ""}
MESSAGE_STOP = named({"type": "message_stop"})


def message_end(stop_reason: str = "end_turn", index: int = 0, **usage: Any) -> bytes:
    """The last events of an answer."""
    return block_stop(index) + message_delta(stop_reason, **usage) + MESSAGE_STOP


def message(*texts: str, stop_reason: str = "end_turn", **usage: Any) -> bytes:
    """A whole answer with one block of text."""
    started = message_start(input_tokens=25, output_tokens=1) + block_start(TEXT_BLOCK)
    return started + b"".join(map(block_text, texts)) + message_end(stop_reason, **(usage or {"output_tokens": 15}))
