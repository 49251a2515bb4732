"""TLS, or a socket, in front of a server of the suite. The embedded servers have no TLS of their own."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import trustme

SSL_REQUEST = 80877103
Policy = Literal["offered", "refused", "required"]


class TlsFront:
    """`encrypted` has an entry for each connection that reached the server.

    `policy`: what PostgreSQL's `pg_hba.conf` and `ssl` would say. For other protocols TLS begins at once.
    """

    def __init__(self, target: tuple[str, int], context: ssl.SSLContext, policy: Policy | None) -> None:
        self._target = target
        self._context = context
        self._policy = policy
        self._tasks: set[asyncio.Task[None]] = set()
        self.encrypted: list[bool] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            first = await self._begin(reader, writer)
            if first is None:
                return
            self.encrypted.append(writer.get_extra_info("ssl_object") is not None)
            await _forward(self._target, first, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client does not like the certificate, or has gone
        finally:
            writer.transport.abort()

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """The first bytes for the server; None if the client is refused."""
        if self._policy is None:
            await writer.start_tls(self._context)
            return b""
        first = await reader.readexactly(8)
        if struct.unpack("!ii", first) == (8, SSL_REQUEST):
            if self._policy != "refused":
                writer.write(b"S")
                await writer.start_tls(self._context)
                return b""
            writer.write(b"N")
            first = await reader.readexactly(8)
        if self._policy == "required":
            fields = b"SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry, no encryption\0\0"
            writer.write(b"E" + struct.pack("!i", 4 + len(fields)) + fields)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            return None
        return first

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _forward(
    target: tuple[str, int], first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    there, back = await asyncio.open_connection(*target)
    back.write(first)
    try:
        pumps = [asyncio.create_task(_pump(*pair)) for pair in ((reader, back), (there, writer))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
    finally:
        back.transport.abort()
        writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def tls_front(host: str, port: int, context: ssl.SSLContext, policy: Policy | None) -> AsyncIterator[TlsFront]:
    front = TlsFront((host, port), context, policy)
    server = await asyncio.start_server(front.serve, "127.0.0.1", 0)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        await front.close()


@asynccontextmanager
async def socket_front(path: Path, host: str, port: int) -> AsyncIterator[None]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _forward((host, port), b"", reader, writer)

    server = await asyncio.start_unix_server(serve, path)
    yield
    server.close()


class Authority:
    """A certificate authority of the test: `ca_file`, and servers and clients that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.ca_file = folder / f"ca-{id(self)}.pem"
        self._ca.cert_pem.write_to_path(str(self.ca_file))

    def server(self, *names: str, asks_for_client: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names).configure_cert(context)
        if asks_for_client:
            context.verify_mode = ssl.CERT_REQUIRED
            self._ca.configure_trust(context)
        return context

    def client(self) -> tuple[Path, Path]:
        """(certificate, key)"""
        issued = self._ca.issue_cert("client@example.com")
        certificate, key = self._folder / "client.pem", self._folder / "client.key"
        issued.cert_chain_pems[0].write_to_path(str(certificate))
        issued.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        return certificate, key
