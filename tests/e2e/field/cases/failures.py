"""Failures that are said inside a 200. They are errors wherever they stand, and partial text is kept."""

import orjson

from tests.e2e.field.case import Answer, Case, other_than
from tests.e2e.field.wire import (
    DONE,
    HI,
    ROLE,
    TEXT_BLOCK,
    block_start,
    block_text,
    choice,
    chunk,
    completion,
    data,
    message_start,
    named,
    usage,
)


def _after_text(name: str, last: bytes, words: str, kind: str | None = None, phase: str = "mid_stream") -> Case:
    """Two events of text, then the failure and what the server still sends."""
    return Case(
        f"{name}-after-text",
        Answer((50, HI), (90, chunk({"content": " you"})), (120, last)),
        {
            "outcome": "errored",
            "response": "Hi you",
            "message_has": words,
            "phase": phase,
            "error_kind": kind or other_than("truncated", "empty_answer", "malformed_event"),
        },
    )


def _alone(name: str, last: bytes, words: str, kind: str | None = None) -> Case:
    return Case(
        name,
        Answer((50, last)),
        {
            "outcome": "errored",
            "response": None,
            "message_has": words,
            "phase": "before_first_token",
            "error_kind": kind or other_than("truncated", "empty_answer", "malformed_event"),
        },
    )


_OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}
_UPSTREAM = {"code": 502, "message": "Upstream died"}
_SHAPES = (
    ("error-object", data({"error": _OVERLOADED}), "overloaded", "overloaded"),
    ("error-event", b"event: error\n" + data({"error": _OVERLOADED}), "overloaded", "overloaded"),
    ("error-event-with-the-error-itself", b"event: error\n" + data(_OVERLOADED), "overloaded", "overloaded"),
    ("error-event-with-text", b"event: error\ndata: engine died\n\n", "engine died", None),
    ("error-by-its-type", data({"type": "error", "error": _OVERLOADED}), "overloaded", "overloaded"),
    ("error-field-of-the-stream", b"error: " + orjson.dumps(_OVERLOADED) + b"\n\n", "overloaded", "overloaded"),
    ("error-field-with-text", b"error: engine died\n\n", "engine died", None),
    (
        "error-of-vllm",
        data({"object": "error", "message": "EngineCore died", "type": "InternalServerError", "code": 500}),
        "enginecore died",
        "server_error",
    ),
    ("error-as-text", data({"error": "engine died"}), "engine died", None),
    ("error-as-a-list", data([{"error": _UPSTREAM}]), "upstream died", "server_error"),
    ("error-with-a-status", data({"error": {"code": 429, "message": "Slow down"}}), "slow down", "rate_limited"),
    (
        "error-with-a-status-as-text",
        data({"error": {"code": "429", "message": "Slow down"}}),
        "slow down",
        "rate_limited",
    ),
    ("error-as-detail", data({"detail": "engine died"}), "engine died", None),
    ("error-as-bare-json", orjson.dumps({"error": _UPSTREAM}) + b"\n\n", "upstream died", "server_error"),
    (
        "error-in-the-choice",
        data(completion(choice({"content": ""}, "error", error=_UPSTREAM))),
        "upstream died",
        "server_error",
    ),
    (
        "error-beside-the-choice",
        data(completion(choice({"content": ""}, "error"), error=_UPSTREAM)),
        "upstream died",
        "server_error",
    ),
    (
        "error-of-groq",
        chunk({}, x_groq={"id": "req_1", "error": "Internal server error"}),
        "internal server error",
        None,
    ),
    (
        "error-with-empty-fields",
        data({"code": 500, "message": "Upstream reset", "data": None}),
        "upstream reset",
        "server_error",
    ),
    ("finish-reason-error", chunk({}, "error"), "error", None),
    ("finish-reason-of-deepseek", chunk({}, "insufficient_system_resource"), "insufficient_system_resource", None),
    ("finish-reason-network-error", chunk({}, "network_error"), "network_error", None),
)

CASES = (
    *[_after_text(name, last + usage(3, 2) + DONE, words, kind) for name, last, words, kind in _SHAPES],
    *[_alone(name, last + DONE, words, kind) for name, last, words, kind in _SHAPES],
    Case(
        "error-event-of-anthropic-after-text",
        Answer(
            (50, message_start(input_tokens=5, output_tokens=1) + block_start(TEXT_BLOCK)),
            (90, block_text("Hi")),
            (120, named({"type": "error", "error": _OVERLOADED})),
        ),
        {
            "outcome": "errored",
            "response": "Hi",
            "error_kind": "overloaded",
            "message": "Overloaded",
            "phase": "mid_stream",
            "provider_code": "overloaded_error",
            "ended_ms": 120,
        },
        protocol="anthropic",
    ),
    Case(
        "error-object-of-a-gateway-after-text-of-anthropic",
        Answer(
            (50, message_start(input_tokens=5, output_tokens=1) + block_start(TEXT_BLOCK)),
            (90, block_text("Hi")),
            (120, data({"error": {"type": "api_error", "message": "Bad gateway"}})),
        ),
        {"outcome": "errored", "response": "Hi", "error_kind": "server_error", "message": "Bad gateway"},
        protocol="anthropic",
    ),
    Case(
        "error-null-is-none",
        Answer((50, ROLE + chunk({"content": "Hi"}, error=None)), (90, chunk({}, "stop", error=None) + DONE)),
        {"outcome": "succeeded", "response": "Hi"},
    ),
    Case(
        "words-of-an-error-in-the-text",
        Answer((50, ROLE + chunk({"content": '{"error": "x"}'})), (90, chunk({}, "stop") + DONE)),
        {"outcome": "succeeded", "response": '{"error": "x"}'},
    ),
)
