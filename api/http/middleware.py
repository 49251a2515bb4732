"""Middleware of every request: an id in response, logs and errors, one log line, one count."""

import re
import uuid

import structlog
from starlette.requests import ClientDisconnect
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
            except ClientDisconnect:
                raise
            except Exception:
                # The server's own 500 is sent outside of this middleware. An answer that broke off is one too.
                status = 500
                raise
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
