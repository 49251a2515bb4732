"""A TCP proxy between a program and its server, which can be told to break in the ways in which networks do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.programs.ports import free_port


class Proxy:
    """`swallow`: bytes vanish in both directions and nobody hears of it. `cut`: connections end, new ones are refused.

    `cut_after`: each connection ends at so many chunks from the client, before the server has them; None: never.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.swallow = False
        self.cut_after: int | None = None
        # Its own, as it comes back to it after a cut.
        self.port = free_port()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Until `start`, as if the server had gone."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            there, back = await asyncio.open_connection(*self._target)
            self._writers |= {writer, back}
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(reader, back, self.cut_after))
                    group.create_task(self._pump(there, writer, None))
            except* (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                for end in (writer, back):
                    end.transport.abort()
                self._writers -= {writer, back}
        except OSError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chunks: int | None) -> None:
        while data := await reader.read(65_536):
            if self.swallow:
                continue
            if chunks is not None:
                chunks -= 1
                if chunks < 0:
                    raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


@asynccontextmanager
async def proxy_to(host: str, port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(host, port)
    await proxy.start()
    try:
        yield proxy
    finally:
        with contextlib.suppress(OSError):
            await proxy.cut()
