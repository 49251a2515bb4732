"""Compressed bodies, wherever the reads are cut, and what follows their end."""

import gzip
import zlib

import pytest

from shared.protocols.compression import CannotDecompress, Decompressor
from tests.support.servers.scripted import cut

TEXT = b'data: {"n": 1}\n\n' * 20_000


def plain(data: bytes, size: int, encoding: str = "gzip") -> bytes:
    decompressor = Decompressor(encoding)
    return b"".join(part for read in cut(data, size) for part in decompressor.feed(read)) + decompressor.finish()


@pytest.mark.parametrize("size", [1, 2, 1_000, 10_000_000])
@pytest.mark.parametrize("tail", [b"", b"\n", b"\x00" * 512, b"\x1f", b"\x1f\x1f\x8b", b"data: more\n\n"])
def test_what_follows_compressed_data_is_ignored(size: int, tail: bytes) -> None:
    """The data are longer than one step, so that bytes are left over when they end."""
    assert plain(gzip.compress(TEXT) + tail, size) == TEXT
    assert plain(zlib.compress(TEXT) + tail, size, "deflate") == TEXT


@pytest.mark.parametrize("size", [1, 3, 1_000, 10_000_000])
def test_a_server_may_flush_by_a_new_member(size: int) -> None:
    assert plain(gzip.compress(b"data: one\n\n") + gzip.compress(b"") + gzip.compress(TEXT), size) == (
        b"data: one\n\n" + TEXT
    )


@pytest.mark.parametrize("size", [1, 3, 1_000, 10_000_000])
def test_nothing_follows_a_deflate_stream(size: int) -> None:
    assert plain(zlib.compress(b"data: one\n\n") + gzip.compress(TEXT), size, "deflate") == b"data: one\n\n"


def test_a_member_that_breaks_off_is_an_error() -> None:
    whole = gzip.compress(TEXT)
    for data in (whole[:-1], whole + whole[:-1], whole + whole[:100]):
        with pytest.raises(CannotDecompress, match="breaks off"):
            plain(data, 500)


@pytest.mark.parametrize("size", [1, 50, 10_000_000])
def test_what_comes_before_damaged_data_is_read_wherever_it_is_cut(size: int) -> None:
    damaged = bytearray(gzip.compress(TEXT))
    # The check sum is at the end.
    damaged[-6] ^= 1
    decompressor, read = Decompressor("gzip"), []
    pieces = (piece for part in cut(bytes(damaged), size) for piece in decompressor.feed(part))
    with pytest.raises(CannotDecompress, match="cannot be decompressed"):
        read.extend(pieces)
    assert b"".join(read) == TEXT


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_bracket_alone_does_not_say_that_a_labelled_answer_is_plain(size: int) -> None:
    with pytest.raises(CannotDecompress):
        plain(b"{\x90X\x92\xa8\xa5", size, "deflate")
    assert plain(b'{"a": 1}', size, "deflate") == b'{"a": 1}'
    assert plain(b"{}", size, "deflate") == b"{}"
