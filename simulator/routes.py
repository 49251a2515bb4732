"""Requests by path: those for an answer go to their protocol; `/v1/models`, `/health` and 404 are answered here."""

import orjson

from simulator.connections.http_head import Request
from simulator.protocols.registry import WIRE_FORMATS, wire_format_for
from simulator.protocols.wire_format import WireFormat

MODELS = ("sim", "sim-ttft50-gap5-n64", "sim-think32", "claude-3-haiku-20240307", "gpt-4o-mini")


def generation_wire(request: Request) -> WireFormat | None:
    """The format of a request for an answer, None for every other request."""
    return WIRE_FORMATS.get(request.path) if request.method == "POST" else None


def side_response(request: Request) -> tuple[int, bytes]:
    """Status and JSON body for every request that does not ask for an answer."""
    method, path = request.method, request.path
    wire = wire_format_for(path, request.headers)
    if method in ("GET", "HEAD"):
        if path == "/health":
            return 200, b'{"status":"ok"}'
        if path == "/v1/models":
            return 200, wire.model_list(MODELS)
        if path.startswith("/v1/models/"):
            model = path.removeprefix("/v1/models/")
            if model in MODELS:
                return 200, orjson.dumps(wire.model(model))
            return 404, wire.error_body(wire.problem(404, model), 0)
    problem = wire.no_such_method(method, path) if path in WIRE_FORMATS else wire.no_such_path(method, path)
    return problem.status, wire.error_body(problem, 0)
