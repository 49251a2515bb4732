"""An endpoint that repeats in its answers every secret that it is sent: in errors, redirects, headers and streams."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

from tests.support.servers.receiver import Received, Receiver, receiver

# The models of the endpoint: how it answers.
MODELS = (
    "echo-401",
    "echo-500-html",
    "echo-redirect",
    "echo-header",
    "echo-stream",
    "echo-error-event",
    "echo-garbage",
)


class EchoServer:
    """`stolen`: a second server, to which the first one redirects."""

    def __init__(self, stolen: Receiver) -> None:
        self.stolen = stolen
        self.server: Receiver | None = None

    @property
    def requests(self) -> list[Received]:
        assert self.server is not None
        return self.server.received

    def answer(self, writer: asyncio.StreamWriter, number: int) -> None:
        request = self.requests[number]
        model = json.loads(request.body)["model"]
        sent = " ".join((request.path, unquote(request.path), *request.headers.values()))
        writer.write(_written(model, sent, self.stolen.url))


def _written(model: str, sent: str, elsewhere: str) -> bytes:
    if model == "echo-401":
        body = json.dumps({"error": {"message": f"Incorrect API key provided: {sent}", "code": "invalid_api_key"}})
        return _answer("401 Unauthorized", body, "application/json", f"x-request-id: {sent}")
    if model == "echo-500-html":
        return _answer("500 Internal Server Error", f"<html><body><pre>{sent}</pre></body></html>", "text/html")
    if model == "echo-redirect":
        return _answer("302 Found", "", "text/plain", f"location: {elsewhere}&key={sent.split(' ')[0]}")
    if model == "echo-header":
        return _answer("429 Too Many Requests", sent, "text/plain", f"retry-after: {sent}", f"x-echo: {sent}")
    if model == "echo-garbage":
        return f"HTTP/1.1 200 {sent}\r\n{sent}\r\n\r\n{sent}".encode()
    events = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in ("Your", " key is ", sent)]
    if model == "echo-error-event":
        events.append({"error": {"message": f"upstream refused {sent}", "type": sent, "code": sent}})
    lines = "".join(f"data: {json.dumps({'id': sent, 'model': sent, **event})}\n\n" for event in events)
    return _answer("200 OK", f"{lines}data: [DONE]\n\n", "text/event-stream", f"x-request-id: {sent}")


def _answer(status: str, body: str, content_type: str, *headers: str) -> bytes:
    data = body.encode()
    lines = (f"HTTP/1.1 {status}", f"content-type: {content_type}", f"content-length: {len(data)}", *headers)
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + data


@asynccontextmanager
async def echo_server() -> AsyncIterator[EchoServer]:
    async with receiver() as stolen:
        running = EchoServer(stolen)
        async with receiver(running.answer) as server:
            running.server = server
            yield running
