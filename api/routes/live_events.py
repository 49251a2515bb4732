"""`GET /benchmarks/{id}/events`: what a benchmark does, as it happens."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response, status
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.access.needs import needs
from api.live.events import events_after, is_told
from api.live.feeds import Feed
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.benchmarks import Progress
from api.schemas.live_events import EndEvent, StatusEvent
from api.schemas.problem import Problem
from api.state import Parts

router = APIRouter(tags=["benchmarks"], dependencies=[needs("read")])

MEDIA_TYPE = "text/event-stream"
_EXAMPLE = (
    'event: status\ndata: {"id":1,"status":"running", …}\nid: 1-12-0a6b5c17\n\n'
    'event: progress\ndata: {"done":12,"total":121,"errors":0, …}\nid: 1-12-7f3e19c2\n\n'
    'event: end\ndata: {"status":"completed"}\nid: 2-121-51d80a44\n\n'
)
_DATA = {"status": StatusEvent, "progress": Progress, "end": EndEvent}


class NothingMore(Exception):
    """The client has had the last event. The answer is a 204, after which it does not connect again."""


async def nothing_more(_request: Request, _exc: Exception) -> Response:
    """The answer to NothingMore."""
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@dataclass(frozen=True, slots=True)
class Listener:
    """A client of the feed. `last_id`: of the event that it had last."""

    feed: Feed
    last_id: str | None


async def _listener(
    benchmark_id: BenchmarkId,
    parts: Parts,
    last_event_id: Annotated[
        str | None,
        Header(
            description="Id of the last event that the client has. The stream goes on after it. Browsers send it by "
            "themselves when they connect again.",
            examples=["1-12-7f3e19c2"],
        ),
    ] = None,
) -> AsyncIterator[Listener]:
    """Listens until the answer is over. Its errors are raised before the answer begins."""
    async with parts.feeds.listen(benchmark_id) as feed:
        if is_told(feed.state, last_event_id):
            raise NothingMore
        yield Listener(feed, last_event_id)


Listening = Annotated[Listener, Depends(_listener)]


def _described(kind: str, data: type) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["event", "id", "data"],
        "properties": {
            "event": {"const": kind},
            "id": {"type": "string", "description": "The client's `Last-Event-ID` when it connects again."},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": f"#/components/schemas/{data.__name__}"},
            },
        },
    }


@router.get(
    "/benchmarks/{benchmark_id}/events",
    operation_id="followBenchmark",
    summary="Follow a benchmark as it runs",
    response_class=EventSourceResponse,
    responses={
        200: {"description": "Server-sent events, up to `end`."},
        204: {"description": "The event with this `Last-Event-ID` was the last one."},
        503: {
            "model": Problem,
            "description": "The database does not answer, or the process has as many listeners as it takes "
            "(`too_many_listeners`).",
        },
        **NOT_FOUND,
        **INVALID,
    },
    openapi_extra={
        "responses": {
            "200": {
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"type": "string", "description": "Events, each as one of `itemSchema`."},
                        "itemSchema": {"oneOf": [_described(kind, data) for kind, data in _DATA.items()]},
                        "example": _EXAMPLE,
                    }
                }
            }
        }
    },
)
async def follow(listener: Listening) -> AsyncIterator[ServerSentEvent]:
    """A stream of server-sent events; `data` is JSON. First comes the present state, then each change, about a second
    after it happened. If nothing happens, a comment keeps the connection open every 15 s.

    `status`: status or notices have changed. `progress`: how far it has come, as `progress` in
    `GET /benchmarks/{id}`. `end`: it has ended or was deleted, and the stream closes. If the stream closes without
    `end`, the server stops or is too busy: connect again with `Last-Event-ID`. To a client that reads slowly, only the
    newest progress is sent. The stream also closes when its key was revoked.
    """
    async for event in events_after(listener.feed, listener.last_id):
        yield ServerSentEvent(event=event.kind, id=event.id, raw_data=event.data)
