"""One HTTP/1.1 response, parsed from bytes by httptools."""

import httptools

# The most bytes that may come without one byte of the body: a head, with the 1xx answers before it, or trailers.
MAX_BYTES_BESIDE = 128_000


class NotHttp(Exception):
    """The bytes are not an HTTP/1.1 response."""


class HttpResponse:
    """Takes bytes through `feed`. `parts` are the body bytes that the caller has not taken yet."""

    __slots__ = ("_beside", "_parser", "complete", "head_complete", "headers", "keeps_alive", "parts", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.head_complete = False
        self.complete = False
        self.keeps_alive = False
        self.parts: list[bytes] = []
        # How many bytes have come since the last byte of the body.
        self._beside = 0
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        # Line ends without CR, spaces after a chunk's size, a length beside chunks, and headers that are folded or have
        # control characters: servers send them, and the other transport reads them. It also reads a length that comes
        # twice, an empty chunk extension and a 100 with `connection: close`, of which llhttp reads none.
        self._parser.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
            lenient_chunked_length=True,
            lenient_headers=True,
        )

    @property
    def ends_with_connection(self) -> bool:
        """Whether the body ends with the connection, because it has neither a length nor chunks."""
        if not self.head_complete:
            return False
        encoding = self.headers.get("transfer-encoding")
        return "content-length" not in self.headers if encoding is None else "chunked" not in encoding.lower()

    def feed(self, data: bytes) -> None:
        """Raises NotHttp. What follows the end of the response is not looked at, but ends the connection."""
        if self._parser is None:
            raise RuntimeError("the response is over")
        self._beside += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The bytes after a 101 belong to another protocol.
            return
        except httptools.HttpParserError as exc:
            if self.complete:
                self.keeps_alive = False
                return
            # What a method below raised is its context.
            raise NotHttp(str(exc.__context__ or exc)) from None
        if self._beside > MAX_BYTES_BESIDE and not self.complete:
            where = "after its body" if self.head_complete else "before its body"
            raise NotHttp(f"it has more than {MAX_BYTES_BESIDE:,} bytes of headers {where}")

    def release(self) -> None:
        """Drops the parser. It and the response refer to each other, and no garbage is collected during a run."""
        self._parser = None

    # httptools calls these.

    def on_message_begin(self) -> None:
        if self.complete:
            # The server answers a question that nobody asked.
            self.keeps_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if b"\0" in value:
            raise NotHttp("a header has a NUL")
        if not self.head_complete:  # later ones are trailers
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._parser is None or self.head_complete:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            # They come before the answer.
            self.headers.clear()
            return
        self.status, self.head_complete = status, True
        if status == 101:
            # The server speaks another protocol from now on, so this is all of its answer.
            self.complete = True
            return
        self.keeps_alive = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        self._beside = 0
        if not self.complete:
            self.parts.append(data)

    def on_message_complete(self) -> None:
        self.complete = self.head_complete
