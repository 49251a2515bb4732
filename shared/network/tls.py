"""TLS in memory, for whoever reads and stamps the plain socket first and decrypts afterwards."""

import contextlib
import ssl
from functools import cache


@cache
def trust_store() -> ssl.SSLContext:
    """The system's certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others). Read once: it takes milliseconds."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class TlsSession:
    """One end of a TLS connection without a socket: bytes in, bytes out. After each call `outgoing` may have some."""

    def __init__(self, context: ssl.SSLContext, *, host: str | None = None, server_side: bool = False) -> None:
        """`host`: whom a client's server must prove to be."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side, host)
        self.established = False

    def shake_hands(self, data: bytes = b"") -> bool:
        """One step of the handshake; True once it is done. Raises ssl.SSLError where the other is not who it should be,
        and then `outgoing` tells it why."""
        self._incoming.write(data)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.established = True
        return True

    def outgoing(self) -> bytes:
        """What has to be sent now: steps of the handshake, alerts, key updates."""
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        self._tls.write(data)
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """What the records that these bytes complete say, and whether the other said that no more come.

        Raises ssl.SSLError.
        """
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

    def close(self) -> bytes:
        """Says that no more comes."""
        with contextlib.suppress(ssl.SSLError):  # the other has not said so yet, and need not
            self._tls.unwrap()
        return self._outgoing.read()
