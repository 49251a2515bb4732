"""The protocols by path, and the small endpoints beside them: `/v1/models`, `/health`, and 404 in the right shape."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import orjson

from simulator import anthropic_messages, openai_chat
from simulator.answer import Answer
from simulator.call import Call, Event, Problem
from simulator.http_head import Request
from simulator.profile import Profile


class Wire(Protocol):
    """What a protocol's module offers; `anthropic_messages` and `openai_chat` are the two."""

    name: str

    def response_headers(self, number: int) -> dict[str, str]: ...

    def parse(self, number: int, body: Any, headers: Mapping[str, str], created: int) -> Call: ...

    def events(self, call: Call, answer: Answer, profile: Profile) -> Iterator[Event]: ...

    def body(self, call: Call, answer: Answer, profile: Profile) -> bytes: ...

    def problem(self, status: int, model: str, reason: str | None = None) -> Problem: ...

    def error_body(self, problem: Problem, number: int) -> bytes: ...

    def error_event(self, model: str) -> bytes: ...


ANTHROPIC: Wire = anthropic_messages
OPENAI: Wire = openai_chat
_GENERATION = {"/v1/messages": ANTHROPIC, "/v1/chat/completions": OPENAI}
MODELS = ("sim", "sim-ttft50-gap5-n64", "sim-think32", "claude-3-haiku-20240307", "gpt-4o-mini")
# 2024-03-07 as both protocols write it; the models here have no birthday of their own.
_CREATED, _CREATED_AT = 1_709_769_600, "2024-03-07T00:00:00Z"


def generation_wire(request: Request) -> Wire | None:
    """The protocol of a request for an answer, None for every other request."""
    return _GENERATION.get(request.path) if request.method == "POST" else None


def wire_of(path: str, headers: Mapping[str, str]) -> Wire:
    """The protocol whose error shape a client of `path` expects."""
    return ANTHROPIC if "anthropic-version" in headers or path.startswith("/v1/messages") else OPENAI


def side_response(request: Request) -> tuple[int, bytes]:
    """Status and JSON body of all that is no request for an answer."""
    wire = wire_of(request.path, request.headers)
    if request.method in ("GET", "HEAD"):
        if request.path == "/health":
            return 200, b'{"status":"ok"}'
        if request.path == "/v1/models":
            return 200, orjson.dumps(_model_list(wire))
        if request.path.startswith("/v1/models/"):
            model = request.path.removeprefix("/v1/models/")
            if model in MODELS:
                return 200, orjson.dumps(_model(wire, model))
            return 404, wire.error_body(wire.problem(404, model), 0)
    if request.path in _GENERATION:
        text = f"Not allowed to {request.method} on {request.path}." if wire is OPENAI else "Method Not Allowed"
        return 405, wire.error_body(Problem(405, text), 0)
    text = f"Invalid URL ({request.method} {request.path})" if wire is OPENAI else "Not Found"
    return 404, wire.error_body(Problem(404, text), 0)


def _model(wire: Wire, model: str) -> dict[str, Any]:
    if wire is ANTHROPIC:
        return {"type": "model", "id": model, "display_name": model, "created_at": _CREATED_AT}
    return {"id": model, "object": "model", "created": _CREATED, "owned_by": "simulator"}


def _model_list(wire: Wire) -> dict[str, Any]:
    data = [_model(wire, model) for model in MODELS]
    if wire is ANTHROPIC:
        return {"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
    return {"object": "list", "data": data}
