"""HTTP/1.1 heads and chunks as bytes, and the one request type that the rest of the simulator sees."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

LAST_CHUNK = b"0\r\n\r\n"
_REASONS = {status.value: status.phrase for status in HTTPStatus} | {529: "Overloaded"}


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` have lower-case names; `received_ns` is the read that completed the request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    received_ns: int
    keep_alive: bool
    chunked: bool  # False for HTTP/1.0, which ends a body by closing


def head(status: int, headers: Mapping[str, str], *, keep_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}", *(f"{name}: {value}" for name, value in headers.items())]
    lines.append(f"connection: {'keep-alive' if keep_alive else 'close'}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def whole(data: bytes) -> bytes:
    return data
