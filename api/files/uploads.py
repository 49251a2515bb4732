"""Receives a file as a request's body: onto the disk, bounded, hashed, and unpacked if it is gzipped."""

import hashlib
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from api.http.body import BodyTooLarge
from shared.errors import InvalidRequest

# Files up to this size stay in memory.
IN_MEMORY_BYTES = 1_000_000
# What is unpacked at a time.
_PIECE = 65_536
_GZIP = zlib.MAX_WBITS + 16


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has arrived. `file` is at its beginning."""

    file: BinaryIO
    size: int
    sha256: str


@contextmanager
def temporary_file() -> Iterator[BinaryIO]:
    """A file that is gone at the end."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        yield file  # type: ignore[misc]


async def receive(pieces: AsyncIterator[bytes], file: BinaryIO, max_bytes: int, *, gzipped: bool) -> Upload:
    """Writes the body into `file`. Size and hash are those of the unpacked file.

    Raises BodyTooLarge above `max_bytes`, and InvalidRequest for what is not gzip.
    """
    digest, size = hashlib.sha256(), 0
    unpack = _Gunzip() if gzipped else None
    async for piece in pieces:
        for part in [piece] if unpack is None else unpack.parts(piece):
            size += len(part)
            if size > max_bytes:
                raise BodyTooLarge(413, f"the file is larger than {max_bytes:,} bytes")
            digest.update(part)
            file.write(part)
    if unpack is not None and not unpack.complete:
        raise _not_gzip("ends before its end")
    file.seek(0)
    return Upload(file, size, digest.hexdigest())


class _Gunzip:
    """Unpacks piece by piece: a small body may become a large file, which its reader must be able to stop."""

    def __init__(self) -> None:
        self._unpacking = zlib.decompressobj(_GZIP)

    @property
    def complete(self) -> bool:
        return self._unpacking.eof

    def parts(self, piece: bytes) -> Iterator[bytes]:
        while piece:
            if self._unpacking.eof:
                # A gzip file may be several, one after the other.
                self._unpacking = zlib.decompressobj(_GZIP)
            try:
                yield self._unpacking.decompress(piece, _PIECE)
            except zlib.error:
                raise _not_gzip("is damaged") from None
            piece = self._unpacking.unconsumed_tail or self._unpacking.unused_data


def _not_gzip(what: str) -> InvalidRequest:
    return InvalidRequest.of("body", f"{what}, or is not gzip as Content-Encoding says", "invalid_gzip")
