"""One HTTP/1.1 response out of bytes: httptools' callbacks, kept."""

import httptools


class NotHttp(Exception):
    """The bytes are not an HTTP/1.1 response."""


class HttpResponse:
    """Feed it what arrives; `parts` are body bytes that nobody has taken yet."""

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
        """Neither a length nor chunks: the body is over when the connection is."""
        return self.head_complete and not {"content-length", "transfer-encoding"} & self.headers.keys()

    def feed(self, data: bytes) -> None:
        if self._parser is None:
            raise RuntimeError("the response is over")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            raise NotHttp(str(exc)) from None

    def release(self) -> None:
        """Nothing more will come. Parser and response hold each other, and no garbage is collected in a run."""
        self._parser = None

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_complete:  # afterwards they are trailers
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
