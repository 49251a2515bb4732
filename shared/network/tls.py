"""TLS of clients: whom they trust, and sessions in memory.

The measuring engine first reads and stamps the plain socket, and decrypts afterwards.
"""

import contextlib
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """Whom a client trusts, and how it proves who it is. Paths of PEM files; `client_cert` may hold the key as well.

    `ca_file` replaces the system's certificates. With `verify` False any certificate of any name is accepted.
    """

    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    verify: bool = True


class UnusableTls(ValueError):
    """A certificate or key of the configuration cannot be used. The message names its field and file."""


_SYSTEM = TlsOptions()


def client_context(options: TlsOptions = _SYSTEM) -> ssl.SSLContext:
    """The context of a client. Its files are read when they are new or have changed. Raises UnusableTls.

    Without `ca_file` it trusts the system's certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others).
    """
    files = (options.ca_file, options.client_cert, options.client_key)
    return _context(options, tuple(_changed_at(file) for file in files if file is not None))


def _changed_at(file: str) -> int | None:
    """When the file was changed (ns); None if it is not there."""
    try:
        return Path(file).stat().st_mtime_ns
    except OSError:
        return None


# Cached, because reading certificates takes milliseconds and each new connection asks.
@lru_cache(maxsize=32)
def _context(options: TlsOptions, changed_at: tuple[int | None, ...]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except (OSError, ValueError) as exc:
        raise UnusableTls(f"tls.ca_file {options.ca_file} cannot be used: {_reason(exc)}") from None
    context.set_alpn_protocols(["http/1.1"])
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.client_cert is not None:
        try:
            # Without the function, OpenSSL would ask the terminal for the password of an encrypted key.
            context.load_cert_chain(options.client_cert, options.client_key, password=lambda: "")
        except (OSError, ValueError) as exc:
            files = " and ".join(file for file in (options.client_cert, options.client_key) if file)
            raise UnusableTls(f"tls.client_cert {files} cannot be used: {_reason(exc)}") from None
    return context


def _reason(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLError):
        return f"it is no certificate or key in PEM, the two do not belong together, or it is encrypted ({exc.reason})"
    return exc.strerror or type(exc).__name__ if isinstance(exc, OSError) else str(exc)


class TlsSession:
    """One end of a TLS connection without a socket: bytes in, bytes out. After each call, send what is `outgoing`."""

    def __init__(self, context: ssl.SSLContext, *, host: str | None = None, server_side: bool = False) -> None:
        """`host`: for a client, the name that the server's certificate must prove."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side, host)
        self.established = False
        # What was wrong after the bytes that `decrypt` returned. Nothing more can be read.
        self.broken: ssl.SSLError | None = None

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
        """(plain bytes of the records that are now complete, whether the other end has closed).

        Raises ssl.SSLError. If whole records came before the fault, returns them, sets `broken`, and raises next time.
        """
        if self.broken is not None:
            raise self.broken
        self._incoming.write(data)
        parts = []
        try:
            while part := self._tls.read(65_536):
                parts.append(part)
        except ssl.SSLWantReadError:
            return b"".join(parts), False
        except ssl.SSLZeroReturnError:
            pass
        except ssl.SSLError as exc:
            if not parts:
                raise
            self.broken = exc.with_traceback(None)
            return b"".join(parts), False
        return b"".join(parts), True

    def close(self) -> bytes:
        """The bytes that tell the other end that no more will come."""
        with contextlib.suppress(ssl.SSLError):  # the other end has not closed yet, and need not
            self._tls.unwrap()
        return self._outgoing.read()
