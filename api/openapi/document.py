"""The OpenAPI document: what FastAPI makes of the routes, and what it does not know. `api.main` calls this."""

import asyncio
import threading
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from api.access.requirements import Requirements
from api.http.errors import MEDIA_TYPE
from api.openapi.access import add_access, add_scheme
from api.openapi.errors import PROBLEM, add_errors
from api.openapi.examples import add_examples
from api.openapi.headers import add_headers
from api.schemas.live_events import EndEvent, StatusEvent

# Made once for all apps of a process: they have the same routes, and it takes most of a second.
_made: list[dict[str, Any]] = []
_making = threading.Lock()

LICENCE: dict[str, Any] = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
# Relative to where the document was read. Behind a proxy with a prefix, FastAPI puts the prefix before it.
SERVERS: list[dict[str, Any]] = [{"url": "/", "description": "The server that this document came from."}]
TAGS: list[dict[str, Any]] = [
    {"name": "benchmarks", "description": "Submit benchmarks, and read, cancel and delete them."},
    {"name": "baselines", "description": "Names for the benchmarks that later ones are compared with."},
    {"name": "history", "description": "Runs of the same prompts over time, and of several models."},
    {"name": "exports", "description": "Data as files, to take elsewhere."},
    {"name": "datasets", "description": "Files of prompts, conversations and traces for benchmarks to send."},
    {"name": "money", "description": "What was spent, and what keys and owners may spend."},
    {"name": "webhooks", "description": "Signed events instead of polling, and how their deliveries went."},
    {"name": "models", "description": "The price list's models, and the configured endpoints."},
    {"name": "keys", "description": "API keys: who may use the API, and how much of it."},
    {"name": "workers", "description": "The processes that run benchmarks."},
    {"name": "audit", "description": "Who changed what, and when."},
    {"name": "health", "description": "For probes and for Prometheus."},
    {"name": "events", "description": "What webhooks send."},
]


def complete_the_document(app: FastAPI) -> None:
    """Replaces `app.openapi` by one that adds access, errors, headers of answers and examples."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        with _making:
            if not _made:
                _made.append(_complete(plain(), app.state.requirements))
        return _made[0]

    app.openapi = openapi  # type: ignore[method-assign]


async def _answer(request: Request) -> JSONResponse:
    # The first request makes the document. FastAPI's own route would do that in the event loop.
    document = await asyncio.to_thread(request.app.openapi)
    prefix = request.scope.get("root_path", "").rstrip("/")
    if prefix:
        document = document | {"servers": [{"url": prefix}, *document["servers"]]}
    return JSONResponse(document)


ROUTE = Route("/openapi.json", _answer, include_in_schema=False)


def _complete(document: dict[str, Any], requirements: Requirements) -> dict[str, Any]:
    add_scheme(document)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _give_problems_their_media_type(operation)
            need = add_access(path, method, operation, requirements)
            add_errors(path, method, operation, need)
            add_headers(operation)
            _separate_by_commas(operation)
    for operations in document["webhooks"].values():
        for operation in operations.values():
            # FastAPI documents its own answer to a wrong body. A receiver answers what it likes.
            operation["responses"].pop("422", None)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    _add_live_events(schemas)
    add_examples(document)
    return document


def _give_problems_their_media_type(operation: dict[str, Any]) -> None:
    """FastAPI uses the route's media type for every model."""
    for response in operation["responses"].values():
        content = response.get("content", {})
        for media_type in [name for name, body in content.items() if body.get("schema") == PROBLEM]:
            content[MEDIA_TYPE] = content.pop(media_type)


def _add_live_events(schemas: dict[str, Any]) -> None:
    """The schemas of data in streams of events, which FastAPI does not see."""
    for model in (StatusEvent, EndEvent):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= {**schema.pop("$defs", {}), **schemas, model.__name__: schema}


def _separate_by_commas(operation: dict[str, Any]) -> None:
    """Lists of words are written as `include=timeline,warmup`. The API takes `include=timeline&include=warmup` too."""
    for parameter in operation.get("parameters", []):
        if parameter["name"] in ("include", "ids", "metric"):
            parameter |= {"style": "form", "explode": False}
