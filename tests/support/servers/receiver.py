"""A real HTTP receiver of webhooks that keeps every request and answers as the test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from shared.clock import monotonic_ns
from shared.network.ssrf import networks
from tests.support.waiting import PATIENCE_S

# Where these receivers are: what a worker must be allowed to send to.
LOOPBACK = networks("127.0.0.0/8,::1/128")

# Writes the answer to the n-th request (0, 1, …); what it leaves open is closed after it.
Answer = Callable[[asyncio.StreamWriter, int], Any]


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at_ns: int

    def verified(self, secret: str) -> dict[str, Any]:
        """The event. Raises where the library refuses it."""
        event: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return event

    def signed_with(self, secret: str) -> bool:
        """Whether a signature of the library's is among those sent, whenever that was."""
        at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        expected = Webhook(secret).sign(self.headers["webhook-id"], at, self.body.decode())
        return expected in self.headers["webhook-signature"].split(" ")


def status(code: int, *headers: str, body: str = "") -> Answer:
    """A short answer."""

    def write(writer: asyncio.StreamWriter, _: int) -> None:
        lines = [f"HTTP/1.1 {code} X", f"content-length: {len(body)}", *headers, "", body]
        writer.write("\r\n".join(lines).encode())

    return write


def hang(_writer: asyncio.StreamWriter, _number: int) -> Any:
    """No answer at all."""
    return asyncio.sleep(3_600)


def after(event: asyncio.Event, answer: Answer) -> Answer:
    """That answer, once the event is set."""

    def write(writer: asyncio.StreamWriter, number: int) -> Any:
        async def wait() -> None:
            await event.wait()
            answer(writer, number)

        return wait()

    return write


def in_turn(*answers: Answer) -> Answer:
    """One after the other, then the last one for ever."""
    return lambda writer, number: answers[min(number, len(answers) - 1)](writer, number)


class Receiver:
    """`url` takes everything; `answer` may be changed at any time."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.received: list[Received] = []
        self.url = ""
        self._changed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ", 2)
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            async with self._changed:
                number = len(self.received)
                self.received.append(Received(method, path, headers, body, monotonic_ns()))
                self._changed.notify_all()
            outcome = self.answer(writer, number)
            if outcome is not None:
                await outcome
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def has(self, count: int) -> list[Received]:
        """Waits for so many requests."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: len(self.received) >= count)
        return self.received


@asynccontextmanager
async def receiver(answer: Answer | None = None, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    running = Receiver(answer or status(204))
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0, ssl=tls)
    scheme = "http" if tls is None else "https"
    running.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks?token=x"
    try:
        yield running
    finally:
        server.close()
