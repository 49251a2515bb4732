"""Decompresses answers that a server compressed although uncompressed ones were asked for."""

import contextlib
import zlib
from collections.abc import Iterator

# What comes out of one step. A few bytes can stand for very many, so they are taken in pieces.
_STEP_BYTES = 65_536
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# What a plain answer begins with.
_TEXT_STARTS = (b"{", b"[", b"d", b"e", b":", b"<")
# Tells zlib to read one gzip member.
_GZIP_BITS = 31


class CannotDecompress(Exception):
    """The message says why, in words for a reader of the result."""


def decompressed(body: bytes, encoding: str, most: int) -> bytes:
    """The first bytes of a whole body, at most so many. If nothing of it can be read, words that say why.

    `encoding`: the value of the Content-Encoding header, empty if there is none.
    """
    decompressor, plain = Decompressor(encoding), b""
    try:
        for piece in decompressor.feed(body):
            plain += piece
            if len(plain) >= most:
                return plain[:most]
        return plain + decompressor.finish()
    except CannotDecompress as exc:
        # The SDK's client decompresses the body and keeps its label.
        return plain or (body if _is_utf8(body) else str(exc).encode())


class Decompressor:
    """Takes the bytes of a body. The first ones decide whether it is compressed; the header names the method."""

    def __init__(self, encoding: str) -> None:
        """`encoding`: the value of the Content-Encoding header, empty if there is none."""
        self._encoding = encoding.strip().lower()
        self._labelled = self._encoding not in ("", "identity")
        self._start = b""
        self._inflate: zlib._Decompress | None = None
        # Whether the body is known to be plain, so that its bytes need not go through `feed`, or to be compressed.
        self.plain = self.compressed = False
        self._has_members = False
        # The first byte of what follows a gzip member, until the second one says whether it is another member.
        self._between = b""
        # The compressed data have ended.
        self._over = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes, in pieces. Raises CannotDecompress."""
        if not self.plain and self._inflate is None:
            self._start += data
            if len(self._start) < 4 and (self._labelled or self._start.lstrip()[:1] not in _TEXT_STARTS):
                return
            data, self._start = self._start, b""
            self._decide(data)
        if self._inflate is None:
            yield data
            return
        while data and not self._over:
            if self._inflate.eof and not (data := self._next_member(data)):
                return
            before = self._inflate.copy()
            try:
                piece = self._inflate.decompress(data, _STEP_BYTES)
            except zlib.error as exc:
                yield _until_damage(before, data)
                message = f"the server sent a compressed answer that cannot be decompressed: {exc}"
                raise CannotDecompress(message) from None
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> bytes:
        """The rest of the plain bytes: a body may be too short to decide about. Raises CannotDecompress."""
        if self._inflate is not None and not self._inflate.eof:
            raise CannotDecompress("the server sent a compressed answer that breaks off")
        return self._start

    def _next_member(self, data: bytes) -> bytes:
        """The data, if they begin a gzip member: servers may flush by a new one. Anything else is no answer.

        Only gzip has members. Nothing follows the end of a deflate stream.
        """
        data, self._between = self._between + data, b""
        if self._has_members and data.startswith(_GZIP):
            self._inflate = zlib.decompressobj(wbits=_GZIP_BITS)
            return data
        if self._has_members and _GZIP.startswith(data):
            self._between = data
        else:
            self._over = True
        return b""

    def _decide(self, start: bytes) -> None:
        if start.startswith(_GZIP):
            self._inflate = zlib.decompressobj(wbits=_GZIP_BITS)
            self._has_members = True
        elif self._encoding == "deflate" and not _is_text(start):
            # zlib's own header, or none: servers do both.
            self._inflate = zlib.decompressobj(wbits=15 if start[0] & 0x0F == 8 else -15)
        elif start.startswith(_ZSTD) or (self._labelled and not _is_text(start)):
            method = "zstd" if start.startswith(_ZSTD) else self._encoding
            raise CannotDecompress(f"the server compressed its answer ({method}), although it was asked not to")
        else:
            self.plain = True
        self.compressed = not self.plain


def _until_damage(inflate: "zlib._Decompress", data: bytes) -> bytes:
    """What can be read of data in which zlib has found an error, however they were cut."""
    plain = b""
    with contextlib.suppress(zlib.error):
        for index in range(len(data)):
            left = data[index : index + 1]
            while left:
                plain += inflate.decompress(left, _STEP_BYTES)
                left = inflate.unconsumed_tail
    return plain


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_text(start: bytes) -> bool:
    return start.startswith(b"\xef\xbb\xbf") or all(0x20 <= byte < 0x7F or byte in b"\r\n\t" for byte in start[:4])
