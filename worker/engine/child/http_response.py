"""One HTTP/1.1 response, parsed from bytes by httptools."""

import httptools


class NotHttp(Exception):
    """The bytes are not an HTTP/1.1 response."""


class HttpResponse:
    """Takes bytes through `feed`. `parts` are the body bytes that the caller has not taken yet."""

    __slots__ = ("_parser", "complete", "head_complete", "headers", "keeps_alive", "parts", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.head_complete = False
        self.complete = False
        self.keeps_alive = False
        self.parts: list[bytes] = []
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    @property
    def ends_with_connection(self) -> bool:
        """Whether the body ends with the connection, because it has neither a length nor chunks."""
        return self.head_complete and not {"content-length", "transfer-encoding"} & self.headers.keys()

    def feed(self, data: bytes) -> None:
        if self._parser is None:
            raise RuntimeError("the response is over")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            raise NotHttp(str(exc)) from None

    def release(self) -> None:
        """Drops the parser. It and the response refer to each other, and no garbage is collected during a run."""
        self._parser = None

    # httptools calls these.

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_complete:  # later ones are trailers
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < 200:
            # 100 and 103 come before the answer.
            self.headers.clear()
            return
        self.status, self.head_complete = status, True
        self.keeps_alive = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        self.parts.append(data)

    def on_message_complete(self) -> None:
        self.complete = self.head_complete
