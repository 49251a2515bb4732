"""Reads server-sent events as a browser does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson


@dataclass
class Received:
    """An event. `data`: its JSON, decoded."""

    event: str = ""
    id: str = ""
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def data(self) -> Any:
        return orjson.loads(self.text)


async def received(response: httpx2.Response) -> AsyncIterator[Received]:
    """The events up to the end of the stream."""
    item = Received()
    async for line in response.aiter_lines():
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                item.event = value
            case "id":
                item.id = value
            case "data":
                item.lines.append(value)
        if not line and item.lines:
            yield item
            item = Received()


async def all_received(client: httpx2.AsyncClient, path: str, last_id: str | None = None) -> list[Received]:
    """All events of a stream that ends."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        return [item async for item in received(response)]
