"""Middleware of every request: an id in response, logs and errors, one log line, and a limit on the body's size."""

import re
import uuid

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.monitoring import ApiMonitor
from shared.clock import Clock

log = structlog.get_logger("api.access")

HEADER = "x-request-id"
_ACCEPTED = re.compile(rb"^[A-Za-z0-9._-]{1,64}$")
# Probes call these every few seconds, so their successes are not logged.
QUIET = ("/health", "/ready", "/metrics")


class RequestContextMiddleware:
    """Gives each request an id, counts it and logs it. Plain ASGI, so that it sees streamed and cancelled responses."""

    def __init__(self, app: ASGIApp, clock: Clock, monitor: ApiMonitor) -> None:
        self._app = app
        self._clock = clock
        self._monitor = monitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(HEADER.encode(), b"")
        request_id = given.decode() if _ACCEPTED.match(given) else uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        # As it was asked for: inside, a proxy's prefix comes before it.
        path = scope["path"]
        started_ns = self._clock.monotonic_ns()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((HEADER.encode(), request_id.encode()))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                duration_ns = self._clock.monotonic_ns() - started_ns
                self._monitor.observe(scope, status, duration_ns / 1e9)
                if path not in QUIET or status >= 400:
                    log.info(
                        "request",
                        method=scope["method"],
                        path=path,
                        status=status or None,
                        duration_ms=round(duration_ns / 1e6, 3),
                    )


class BodyLimitMiddleware:
    """Refuses a body that is too large when it is read, with or without a Content-Length.

    FastAPI's `max_body_size` answers in plain text if Content-Length is too large. This error becomes a problem.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        # int() refuses very long texts; twenty digits are enough to exceed any limit.
        too_large = announced.isdecimal() and int(announced[:20]) > self._max_bytes
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            if too_large:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_limited, send)
