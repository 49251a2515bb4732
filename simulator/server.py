"""The simulator as an object: tests and the demo start it in their own event loop, `simulator.main` in a process."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.network import kernel_stamps
from simulator.connections.arrivals import leave_to_us
from simulator.connections.connection import Connection
from simulator.connections.timer import Timer, make_timer
from simulator.profile import Profile
from simulator.queueing.pools import Pools
from simulator.record import Records, RequestRecord
from simulator.service import Service

# Several hundred clients may connect in the same instant.
_BACKLOG = 2048


class Simulator:
    """`async with Simulator() as sim:` listens on `sim.base_url` until the block is left."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        request_log: Path | None = None,
        seed: int = 0,
        defaults: Profile | None = None,
        *,
        require_key: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._records = Records(request_log, self._changed)
        pools = Pools(lambda callback: asyncio.get_running_loop().call_soon(callback))
        self._service = Service(self._records, defaults or Profile(), seed, require_key, pools)
        self._tls = tls
        self._connections: set[Connection] = set()
        self._waiters: list[tuple[Callable[[Simulator], bool], asyncio.Future[None]]] = []
        self._server: asyncio.Server | None = None
        self._timer: Timer | None = None
        self._wants_stamps: socket.socket | None = None

    @property
    def base_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    @property
    def requests(self) -> deque[RequestRecord]:
        """The latest 10,000 requests for an answer, oldest first."""
        return self._records.latest

    @property
    def in_flight(self) -> int:
        return self._records.in_flight

    @property
    def peak_in_flight(self) -> int:
        return self._records.peak_in_flight

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    async def wait_for(self, predicate: Callable[["Simulator"], bool], timeout: float = 60.0) -> None:
        """Returns once `predicate(self)` holds; looks again whenever a request comes, gets content or ends.

        Raises TimeoutError.
        """
        if predicate(self):
            return
        waiter = (predicate, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter[1]
        finally:
            self._waiters.remove(waiter)

    def _changed(self) -> None:
        for predicate, future in self._waiters:
            if future.done():
                continue
            try:
                if predicate(self):
                    future.set_result(None)
            except Exception as error:  # noqa: BLE001 - the waiter's own mistake, not the stream's
                future.set_exception(error)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._records.open()
        timer = self._timer = make_timer(loop)
        # Before anybody can connect: the first request gets a stamp too.
        wants_stamps = self._wants_stamps = kernel_stamps.begin()
        try:
            self._server = await loop.create_server(
                lambda: Connection(self._service, self._records, timer, self._connections, self._tls),
                self.host,
                self.port,
                backlog=_BACKLOG,
            )
        except BaseException:
            wants_stamps.close()
            timer.close()
            self._records.close()
            raise
        for listener in self._server.sockets:
            leave_to_us(listener.fileno())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None or self._timer is None or self._wants_stamps is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.shut_down()
        while self._connections:  # noqa: ASYNC110 - an aborted transport says so in the loop's next turn
            await asyncio.sleep(0)
        await self._server.wait_closed()
        self._wants_stamps.close()
        self._timer.close()
        self._records.close()
