"""TLS in memory, for callers that first read and stamp the plain socket and decrypt afterwards."""

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
    """One end of a TLS connection without a socket: bytes in, bytes out. After each call, send what is `outgoing`."""

    def __init__(self, context: ssl.SSLContext, *, host: str | None = None, server_side: bool = False) -> None:
        """`host`: for a client, the name that the server's certificate must prove."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side, host)
        self.established = False

    def shake_hands(self, data: bytes = b"") -> bool:
        """Makes one step of the handshake; True when it is done.

        Raises ssl.SSLError if it fails; `outgoing` then holds the alert that tells the other end why.
        """
        self._incoming.write(data)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.established = True
        return True

    def outgoing(self) -> bytes:
        """The bytes to send now: steps of the handshake, alerts, key updates."""
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        self._tls.write(data)
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """(plain bytes of the records that are now complete, whether the other end has closed). Raises ssl.SSLError."""
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
        """The bytes that tell the other end that no more will come."""
        with contextlib.suppress(ssl.SSLError):  # the other end has not closed yet, and need not
            self._tls.unwrap()
        return self._outgoing.read()
