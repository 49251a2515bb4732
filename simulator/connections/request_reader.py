"""Parses the bytes of a connection into requests with httptools, within limits. `connection` answers them."""

from collections.abc import Callable

import httptools

from simulator.connections.http_head import Request

MAX_BODY_BYTES = 32 * 1024 * 1024
_MAX_HEAD_BYTES = 64 * 1024


class RequestRefused(Exception):
    """The bytes are no request that is answered. After it nothing more can be read of the connection."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class RequestReader:
    """Of one connection. `url` and `headers`: of the request that is being read, as far as it has come."""

    def __init__(self, on_expect: Callable[[], None]) -> None:
        """`on_expect`: called when a client waits for `100 Continue` before it sends a body."""
        self._on_expect = on_expect
        self._parser = httptools.HttpRequestParser(self)
        self._complete: list[Request] = []
        self._too_large = False
        self._head_bytes = 0
        self._in_head = True
        self._received_ns = 0
        self._start()

    def feed(self, data: bytes, stamp_ns: int) -> list[Request]:
        """The requests that these bytes complete. Raises RequestRefused."""
        self._received_ns = stamp_ns
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise RequestRefused(400, "Upgrade is not supported.") from None
        except httptools.HttpParserError:
            raise RequestRefused(400, "Malformed HTTP request.") from None
        if self._too_large:
            raise RequestRefused(413, f"Request exceeds the maximum size of {MAX_BODY_BYTES} bytes.")
        if self._in_head and self._head_bytes > _MAX_HEAD_BYTES:
            raise RequestRefused(431, "Request header fields too large.")
        complete, self._complete = self._complete, []
        return complete

    # Called by the parser.

    def on_message_begin(self) -> None:
        self._start()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        if int(self.headers.get("content-length", "0") or 0) > MAX_BODY_BYTES:
            self._too_large = True
        elif self.headers.get("expect", "").lower() == "100-continue":
            self._on_expect()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES:
            self._too_large = True
            self._body.clear()
        elif not self._too_large:
            self._body.append(body)

    def on_message_complete(self) -> None:
        self._in_head = True
        if self._too_large:
            return
        http11 = self._parser.get_http_version() == "1.1"
        self._complete.append(
            Request(
                method=self._parser.get_method().decode("latin-1"),
                path=self.url.partition("?")[0],
                headers=self.headers,
                body=b"".join(self._body),
                received_ns=self._received_ns,
                keep_alive=self._parser.should_keep_alive() and http11,
                chunked=http11,
            )
        )
        self._start()

    @property
    def url(self) -> str:
        return self._url.decode("latin-1")

    def _start(self) -> None:
        self._url = b""
        self.headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_bytes = 0
