"""Middleware that ends streams of events with their key, their session or open access: they may be open for hours."""

import asyncio
import contextlib

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.caller import CALLER
from api.access.sessions import Sessions, session_of
from shared.access.caller import Caller
from shared.db.access.key_lookup import KeyLookup
from shared.errors import Unavailable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "text/event-stream"
# A stream ends so long after its key was revoked, its browser logged out, or the first key was made.
CHECK_EVERY_S = 5.0


class OpenStreamsMiddleware:
    """Stands inside the middleware of access. To the route, a stream that is ended looks like one whose client left."""

    def __init__(self, app: ASGIApp, keys: KeyLookup, sessions: Sessions, check_every_s: float = CHECK_EVERY_S) -> None:
        self._app = app
        self._keys = keys
        self._sessions = sessions
        self._check_every_s = check_every_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller | None = scope.get("state", {}).get(CALLER)
        if scope["type"] != "http" or scope["method"] != "GET" or caller is None:
            await self._app(scope, receive, send)
            return
        has_ended = asyncio.Event()
        watch: asyncio.Task[None] | None = None
        is_complete = False

        async def send_watched(message: Message) -> None:
            nonlocal watch, is_complete
            if has_ended.is_set():
                raise OSError("the stream was ended")
            if message["type"] == "http.response.start":
                if Headers(raw=message.get("headers", [])).get("content-type", "").startswith(MEDIA_TYPE):
                    watch = asyncio.create_task(self._watch(scope, caller, has_ended))
            else:
                is_complete = not message.get("more_body", False)
            await send(message)

        async def receive_watched() -> Message:
            received, ended = asyncio.ensure_future(receive()), asyncio.ensure_future(has_ended.wait())
            try:
                await asyncio.wait((received, ended), return_when=asyncio.FIRST_COMPLETED)
                return received.result() if received.done() else {"type": "http.disconnect"}
            finally:
                received.cancel()
                ended.cancel()

        try:
            await self._app(scope, receive_watched, send_watched)
        finally:
            if watch is not None:
                watch.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watch
        if has_ended.is_set() and not is_complete:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self, scope: Scope, caller: Caller, has_ended: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(self._check_every_s)
            try:
                if not await self._is_allowed(scope, caller):
                    break
            except Unavailable as exc:
                # It can be asked again; the stream itself gets nothing without the database either.
                log.warning("stream_not_checked", reason=exc.reason)
        log.info("stream_ended", key_id=caller.key_id, via=caller.via)
        has_ended.set()

    async def _is_allowed(self, scope: Scope, caller: Caller) -> bool:
        """Whether the session is still open, or the key usable; under open access, whether there is still no key."""
        if session_of(scope) is not None:
            return await self._sessions.of(scope) is not None
        if caller.key_id is None:
            return not await self._keys.are_keys()
        found = await self._keys.by_id(caller.key_id)
        return found is not None and found.state == "usable"
