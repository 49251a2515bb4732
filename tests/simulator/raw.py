"""A client that hides nothing: it writes a request by hand and keeps every byte and the way the connection ended."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.clock import monotonic_ns
from tests.support.waiting import PATIENCE_S


class HasPort(Protocol):
    """A simulator, in this process or another."""

    port: int


FAST = "ttft1-gap1"
MESSAGES = [{"role": "user", "content": "hello"}]


def request_bytes(path: str, body: Any, headers: dict[str, str] | None = None, method: str = "POST") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "host: sim", f"content-length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


def openai_request(model: str, headers: dict[str, str] | None = None, **fields: Any) -> bytes:
    body = {"model": model, "stream": True, "messages": MESSAGES, **fields}
    return request_bytes("/v1/chat/completions", body, headers)


def anthropic_request(model: str, headers: dict[str, str] | None = None, **fields: Any) -> bytes:
    body = {"model": model, "stream": True, "max_tokens": 1000, "messages": MESSAGES, **fields}
    return request_bytes("/v1/messages", body, {"anthropic-version": "2023-06-01", **(headers or {})})


def responses_request(model: str, headers: dict[str, str] | None = None, **fields: Any) -> bytes:
    return request_bytes("/v1/responses", {"model": model, "stream": True, "input": MESSAGES, **fields}, headers)


RequestOf = Callable[..., bytes]


@dataclass
class RawResponse:
    """`reads` holds (stamp, bytes); `reset` says that the connection ended by RST and not by FIN."""

    reads: list[tuple[int, bytes]] = field(default_factory=list)
    reset: bool = False

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.reads)

    @property
    def status(self) -> int:
        return int(self.data.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.data.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines)

    @property
    def raw_body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def chunks(self) -> list[bytes]:
        """The chunks of a chunked body; the last is empty when the body ended properly."""
        found, rest = [], self.raw_body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            found.append(rest[:length])
            rest = rest[length + 2 :]
        return found

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks) if "transfer-encoding" in self.headers else self.raw_body

    @property
    def complete(self) -> bool:
        """Whether the chunked body has its last chunk."""
        return self.raw_body.endswith(b"0\r\n\r\n")

    @property
    def events(self) -> list[Any]:
        """The JSON of every `data:` line but [DONE]."""
        lines = [line.removeprefix(b"data: ") for line in self.body.split(b"\n") if line.startswith(b"data: ")]
        return [json.loads(line) for line in lines if line != b"[DONE]"]

    @property
    def contents(self) -> list[str]:
        """The texts of the content events of any protocol."""
        texts = []
        for event in self.events:
            if event.get("type") == "content_block_delta":
                texts.append(event["delta"].get("text"))
            elif event.get("type") == "response.output_text.delta":
                texts.append(event["delta"])
            elif event.get("choices"):
                texts.append(event["choices"][0]["delta"].get("content"))
        return [text for text in texts if text]


async def exchange(sim: HasPort, request: bytes, *, until: bytes | None = None) -> RawResponse:
    """Reads until the server closes, or until `until` was read; then closes."""
    response = RawResponse()
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            while until is None or until not in response.data:
                data = await reader.read(65536)
                if not data:
                    break
                response.reads.append((monotonic_ns(), data))
    except ConnectionResetError:
        response.reset = True
    finally:
        writer.close()
    return response


async def stream(sim: HasPort, request: bytes) -> RawResponse:
    """One exchange whose answer ends properly; the connection would be kept."""
    return await exchange(sim, request, until=b"\r\n0\r\n\r\n")
