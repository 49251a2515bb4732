"""Request bodies: bounded while they arrive, parsed and checked against the schema without blocking the event loop."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.json_bounds import STEP_BYTES, JsonBounds, TooComplex
from api.http.proxy import route_path

# Smaller bodies are parsed in the event loop, which takes them less time than a thread's start.
INLINE_BYTES = 16_384
# The parser that knows every oddity of JSON names what is wrong in bodies of up to this size.
EXPLAINED_BYTES = 1_000_000
# What a body's texts may take in memory, as a multiple of MAX_BODY_BYTES.
TEXT_IN_MEMORY = 1.25
# All bodies that are being handled, as a multiple of MAX_BODY_BYTES.
BODIES_AT_ONCE = 6
# This much of each body is not counted for that, so that small requests always get through.
FREE_BYTES = 65_536
# A body must have arrived this long after its request began.
ARRIVAL_S = 60.0


class BodyTooComplex(HTTPException):
    """The body is JSON, but of a shape that no request needs."""


@dataclass(frozen=True, slots=True)
class StreamedBody:
    """Bounds of a body that is no JSON, and that is small or kept on the disk: it takes no place of large bodies."""

    max_bytes: int
    arrival_s: float


class BodyTooLarge(HTTPException):
    """The body of a route with a bound of its own is too large."""


class BodyLimitMiddleware:
    """Refuses a body that is too large, too complex or too slow when it is read, with or without a Content-Length.

    FastAPI's `max_body_size` answers in plain text if Content-Length is too large. This error becomes a problem.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int,
        arrival_s: float = ARRIVAL_S,
        streamed: Mapping[tuple[str, str], StreamedBody] | None = None,
    ) -> None:
        """`streamed`: routes with bounds of their own, by method and path."""
        self._app = app
        self._max_bytes = max_bytes
        self._arrival_s = arrival_s
        self._streamed = streamed or {}
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        streamed = self._streamed.get((scope["method"], route_path(scope)))
        max_bytes = self._max_bytes if streamed is None else streamed.max_bytes
        arrival_s = self._arrival_s if streamed is None else streamed.arrival_s
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "")
        # int() refuses very long texts; twenty digits are enough to exceed any limit.
        too_large = announced.isdecimal() and int(announced[:20]) > max_bytes
        # FastAPI parses `application/json` and `application/…+json`, in upper and lower case, and nothing else.
        is_json = streamed is None and "json" in headers.get("content-type", "").lower()
        bounds = JsonBounds(int(TEXT_IN_MEMORY * self._max_bytes)) if is_json else None
        deadline = asyncio.get_running_loop().time() + arrival_s
        received = held = 0
        complete = False

        async def receive_limited() -> Message:
            nonlocal received, held, complete
            if too_large:
                raise _too_large(streamed)
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"the body has not arrived within {arrival_s:g} s") from None
            piece = message.get("body", b"")
            complete = not message.get("more_body", False)
            received += len(piece)
            if received > max_bytes:
                raise _too_large(streamed)
            if streamed is None and received > FREE_BYTES:
                self._held += received - FREE_BYTES - held
                held = received - FREE_BYTES
                if self._held > BODIES_AT_ONCE * self._max_bytes:
                    detail = "too many large requests at the same time: try again"
                    raise HTTPException(503, detail, {"Retry-After": "1"})
            if bounds is not None:
                try:
                    for begin in range(0, len(piece), STEP_BYTES):
                        if begin:
                            # Other requests get their turn.
                            await asyncio.sleep(0)
                        bounds.feed(piece[begin : begin + STEP_BYTES])
                except TooComplex as exc:
                    raise BodyTooComplex(422, str(exc)) from None
            return message

        try:
            await self._app(scope, receive_limited, send)
        finally:
            self._held -= held


def _too_large(streamed: StreamedBody | None) -> HTTPException:
    if streamed is None:
        return HTTPException(413)
    return BodyTooLarge(413, f"the body is larger than {streamed.max_bytes:,} bytes")


class JsonRoute(APIRoute):
    """A route whose body is parsed and validated in a thread if it is large."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        field = self.body_field

        def validated(raw: bytearray) -> Any:
            document = parsed(raw)
            raw.clear()
            if field is None:
                return document
            value, errors = field.validate(document, {}, loc=("body",))
            if errors:
                raise RequestValidationError(errors, body=document)
            return value

        async def handle(request: Request) -> Response:
            reading = _JsonRequest(request.scope, request.receive, validated)
            try:
                return await handler(reading)
            except HTTPException:
                # FastAPI answers 400 to every exception while it reads the body.
                if reading.refused is not None:
                    raise reading.refused from None
                raise

        return handle


class _JsonRequest(Request):
    """A request whose `json()` is already the validated body. It keeps the body's bytes no longer than needed."""

    def __init__(self, scope: Scope, receive: Receive, validated: Callable[[bytearray], Any]) -> None:
        super().__init__(scope, receive)
        self._raw = bytearray()
        self._read = False
        self._validated = validated
        self.refused: RequestValidationError | None = None

    async def body(self) -> bytes:
        """Reads the body. What it returns only says whether there is one: FastAPI keeps it until the answer."""
        if not self._read:
            async for piece in self.stream():
                self._raw += piece
            self._read = True
        return bytes(self._raw[:1])

    async def json(self) -> Any:
        raw, self._raw = self._raw, bytearray()
        try:
            if len(raw) <= INLINE_BYTES:
                return self._validated(raw)
            return await asyncio.to_thread(self._validated, raw)
        except RequestValidationError as exc:
            self.refused = exc
            raise


def parsed(raw: bytes | bytearray) -> Any:
    """The JSON value of UTF-8, the encoding that the bounds know. Raises JSONDecodeError.

    NaN, Infinity and lone surrogates are read, so that validation can name their fields.
    """
    try:
        # Unlike `json.loads`, it makes no text of the whole body first.
        return from_json(raw, allow_inf_nan=True, cache_strings="keys")
    except ValueError as exc:
        if len(raw) > EXPLAINED_BYTES:
            raise json.JSONDecodeError(str(exc), "", 0) from None
    try:
        # `json.loads` takes bytes for UTF-16 or UTF-32 if they look like it.
        return json.loads(raw.decode("utf-8-sig", "surrogatepass"))
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError as exc:
        raise json.JSONDecodeError("not UTF-8", "", exc.start) from None
    except ValueError:
        # Python refuses numbers of thousands of digits.
        raise json.JSONDecodeError("a number is too long", "", 0) from None
