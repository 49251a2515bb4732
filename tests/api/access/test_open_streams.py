"""Streams of events end when their key is revoked, when their browser logs out, or when open access ends."""

import asyncio
from typing import Any

import pytest

from api.access.caller import CALLER
from api.access.open_streams import OpenStreamsMiddleware
from api.access.sessions import SESSION
from shared.access.caller import LOCAL, Caller
from shared.errors import Unavailable

EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8")]
KEY = Caller("acme", "read", "ab12cd34")


class Lookup:
    """Keys and sessions whose answers a test decides: whether the caller may go on, or an error."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def by_id(self, key_id: str) -> Any:
        return type("Found", (), {"state": "usable" if self._next() else "revoked"})

    async def are_keys(self) -> bool:
        return not self._next()

    async def of(self, scope: Any) -> Any:
        return object() if self._next() else None

    def _next(self) -> bool:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer


class Stream:
    """An answer that never ends by itself. `left`: the route saw that its client is gone."""

    def __init__(self, headers: list[tuple[bytes, bytes]] = EVENTS, *, sends: bool = False) -> None:
        self.headers = headers
        self.sends = sends
        self.left = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await receive()
        while self.sends and not self.left:
            try:
                await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
                await asyncio.sleep(0)
            except OSError:
                self.left = True
        if self.left:
            return
        self.left = (await receive())["type"] == "http.disconnect"


async def sent_by(app: Any, lookup: Lookup, state: dict[str, Any]) -> list[Any]:
    """What a client gets that never leaves by itself."""
    messages: asyncio.Queue[Any] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    middleware = OpenStreamsMiddleware(app, lookup, lookup, check_every_s=0.001)  # type: ignore[arg-type]
    async with asyncio.timeout(20):
        await middleware({"type": "http", "method": "GET", "state": state}, messages.get, send)
    return sent


@pytest.mark.parametrize(
    "state",
    [{CALLER: KEY}, {CALLER: KEY, SESSION: object()}, {CALLER: LOCAL}],
    ids=["key", "session", "open access"],
)
@pytest.mark.parametrize("sends", [True, False], ids=["busy", "quiet"])
async def test_a_stream_ends_with_what_let_it_begin(state: dict[str, Any], sends: bool) -> None:
    stream, lookup = Stream(sends=sends), Lookup(True, True, False)
    sent = await sent_by(stream, lookup, state)
    assert stream.left
    assert lookup.asked == 3
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_without_the_database_a_stream_goes_on() -> None:
    lookup = Lookup(Unavailable("gone"), Unavailable("gone"), True, False)
    assert (await sent_by(Stream(), lookup, {CALLER: KEY}))[-1]["more_body"] is False
    assert lookup.asked == 4


@pytest.mark.parametrize(
    "state", [{}, {CALLER: KEY}, {CALLER: LOCAL}], ids=["open route", "no stream", "no stream here"]
)
async def test_nothing_else_is_watched(state: dict[str, Any]) -> None:
    lookup = Lookup()
    headers = [(b"content-type", b"application/json")] if CALLER in state else EVENTS
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await sent_by(Stream(headers), lookup, state)
    assert lookup.asked == 0
