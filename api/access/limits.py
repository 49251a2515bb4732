"""Middleware that bounds the requests of a key: so many in a minute, so many at the same time.

It stands behind authentication and before the body is read. The headers are those of the IETF's draft
"RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-11).
"""

import asyncio
from collections.abc import Callable, Iterator

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.caller import KEY_LIMITS
from api.access.limiter import Place, RequestLimiter
from api.access.middleware import KeyLimits
from api.http.errors import problem_response
from shared.access.request_limits import Decision, RequestLimits

POLICY, STATE = "RateLimit-Policy", "RateLimit"


class LimitsMiddleware:
    """Requests without a key have no limits: those of open access, and those to routes that are open to all."""

    def __init__(self, app: ASGIApp, *, limiter: RequestLimiter, defaults: RequestLimits) -> None:
        self._app = app
        self._limiter = limiter
        self._defaults = defaults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key: KeyLimits | None = scope.get("state", {}).get(KEY_LIMITS)
        limits = None if key is None else self._limits(key)
        if scope["type"] != "http" or key is None or limits is None or limits.is_none:
            await self._app(scope, receive, send)
            return
        place = Place(key.key_id)
        decision = await self._limiter.enter(place, limits)
        told = headers_of(decision)
        if decision.refused_by is not None:
            await _refusal(Request(scope), decision, told)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            elif not message.get("more_body", False):
                # Before the client has the end of the answer: its next request must find the place free.
                await self._limiter.leave(place)
            await send(message)

        watched = _Watched(receive, lambda: self._limiter.leave_soon(place))
        try:
            await self._app(scope, watched.receive, send_with_headers)
        finally:
            watched.end()
            self._limiter.leave_soon(place)

    def _limits(self, key: KeyLimits) -> RequestLimits:
        per_minute, concurrent = key.requests_per_minute, key.concurrent_requests
        return RequestLimits(
            self._defaults.per_minute if per_minute is None else per_minute,
            self._defaults.concurrent if concurrent is None else concurrent,
        )


class _Watched:
    """The `receive` of a request that notices when the client goes away while the application does not ask.

    An answer that waits for a benchmark asks for nothing after the body.
    """

    def __init__(self, receive: Receive, on_gone: Callable[[], None]) -> None:
        self._receive = receive
        self._on_gone = on_gone
        self._watch: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._on_gone()
        elif not message.get("more_body", False) and self._watch is None:
            self._watch = asyncio.create_task(self._until_gone())
        return message

    def end(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _until_gone(self) -> None:
        # After the body, the only message that can come is that the client is gone.
        if (await self._receive())["type"] == "http.disconnect":
            self._on_gone()


def headers_of(decision: Decision) -> dict[str, str]:
    """The policies of a key, and what is left of them."""
    return {POLICY: ", ".join(_policies(decision.limits)), STATE: ", ".join(_states(decision))}


def _policies(limits: RequestLimits) -> Iterator[str]:
    if limits.per_minute:
        yield f'"minute";q={limits.per_minute};w=60'
    if limits.concurrent:
        yield f'"concurrent";q={limits.concurrent};qu="concurrent-requests"'


def _states(decision: Decision) -> Iterator[str]:
    if decision.limits.per_minute:
        yield f'"minute";r={decision.left};t={decision.more_s}'
    if decision.limits.concurrent:
        yield f'"concurrent";r={decision.places_left}'


def _refusal(request: Request, decision: Decision, told: dict[str, str]) -> Response:
    limits = decision.limits
    if decision.refused_by == "minute":
        requests = "1 request" if limits.per_minute == 1 else f"{limits.per_minute:,} requests"
        detail = f"this key may make {requests} a minute: try again in {decision.wait_s} s"
    else:
        requests = "1 request" if limits.concurrent == 1 else f"{limits.concurrent:,} requests"
        detail = f"this key may have {requests} at the same time: wait until one has ended"
    headers = {"Retry-After": str(decision.wait_s), "Cache-Control": "no-store", **told}
    return problem_response(request, 429, "Too many requests", detail, code="too_many_requests", headers=headers)
