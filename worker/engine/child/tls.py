"""TLS in memory: bytes are read and stamped on the plain socket first and decrypted afterwards."""

import asyncio
import socket
import ssl
from functools import cache


@cache
def trust_store() -> ssl.SSLContext:
    """The system's certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others). Read once: it takes milliseconds."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class TlsSession:
    """The client's end of one TLS connection."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    async def handshake(self, sock: socket.socket) -> None:
        """Raises ssl.SSLError where the server is not who it should be, OSError where it goes away."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await loop.sock_sendall(sock, self._outgoing.read())
            except ssl.SSLError:
                await loop.sock_sendall(sock, self._outgoing.read())  # the alert: tells the server why
                raise
            else:
                return await loop.sock_sendall(sock, self._outgoing.read())
            data = await loop.sock_recv(sock, 65_536)
            if not data:
                raise ConnectionResetError("the server closed the connection in the TLS handshake")
            self._incoming.write(data)

    def encrypt(self, data: bytes) -> bytes:
        self._tls.write(data)
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """The records that these bytes complete, and whether the server said that no more come. Raises ssl.SSLError."""
        self._incoming.write(data)
        parts = []
        try:
            while part := self._tls.read(65_536):
                parts.append(part)
        except ssl.SSLWantReadError:
            return b"".join(parts), False
        except ssl.SSLZeroReturnError:
            pass
        return b"".join(parts), True

    def reply(self) -> bytes:
        """What TLS itself wants to send: key updates."""
        return self._outgoing.read()
