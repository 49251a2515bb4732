"""Damages recorded answers: the same seed gives the same damage."""

import gzip
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

from tests.fuzz.documents import damage_document
from tests.fuzz.junk import JUNK_BYTES, JUNK_HEADERS
from tests.fuzz.recorded import Recorded, recorded_answers
from tests.fuzz.sent import Sent

# How often an answer is damaged: some not at all, most a little.
_DAMAGES_EACH = (0, 1, 1, 1, 1, 2, 2, 3, 6)
# One answer in so many gets something very large.
_LARGE_EVERY = 400
_TYPES = ("text/event-stream", "application/json", "text/html", "text/plain", "application/problem+json", "", "x;;=,")
_STATUSES = (101, 204, 206, 299, 300, 304, 400, 401, 408, 413, 418, 429, 500, 502, 503, 529, 999, 0)
_MS = 1_000_000

Damage = Callable[[Random, list[bytes]], list[bytes]]


def damaged(seed: str) -> Sent:
    """The damaged answer of a seed."""
    random = Random(seed)
    recorded = random.choice(recorded_answers())
    pieces = [*recorded.reads]
    for _ in range(random.choice(_DAMAGES_EACH)):
        pieces = random.choice(_DAMAGES)(random, pieces)
    if not random.randrange(_LARGE_EVERY):
        pieces.insert(random.randint(0, len(pieces)), _large(random))
    headers = _headers(random, recorded)
    if random.random() < 0.1:
        pieces = _compressed(random, pieces, headers)
    protocol = recorded.protocol
    if random.random() < 0.05:
        protocol = random.choice(recorded_answers()).protocol
    return (
        Sent(
            name=f"{seed}: {recorded.name}",
            protocol=protocol,
            status=random.choice(_STATUSES) if random.random() < 0.08 else recorded.status,
            headers=tuple(headers.items()),
            reads=_stamped(random, _cut(random, pieces)),
            slices=random.choice((1, 2, 7, 1_000)),
            late_us=random.choice((0, 0, 500, 5_000)),
            kernel=random.random() < 0.7,
            end=random.choices(
                ("complete", "lost", "closed", "expire", "lose", "client_error"), (60, 14, 8, 12, 3, 3), k=1
            )[0],
        )
        if random.random() > 0.01
        else _unanswered(random, seed, protocol)
    )


def _unanswered(random: Random, seed: str, protocol: str) -> Sent:
    end = random.choice(("connect_error", "connect_timeout", "tls_error", "client_error", "lost", "closed"))
    return Sent(f"{seed}: no answer", protocol, None, (), (), end)


def _headers(random: Random, recorded: Recorded) -> dict[str, str]:
    label = recorded.content_type if random.random() < 0.7 else random.choice(_TYPES)
    headers = {"content-type": label}
    for _ in range(random.choice((0, 0, 0, 1, 2, 3))):
        name, values = random.choice(JUNK_HEADERS)
        headers[name] = random.choice(values)
    return headers


def _compressed(random: Random, pieces: Sequence[bytes], headers: dict[str, str]) -> list[bytes]:
    body = b"".join(pieces)
    raw = zlib.compressobj(wbits=-15)
    method, packed = random.choice(
        (
            ("gzip", lambda: gzip.compress(body, mtime=0)),
            ("gzip", lambda: gzip.compress(body[: len(body) // 2], mtime=0) + gzip.compress(body[len(body) // 2 :])),
            ("deflate", lambda: zlib.compress(body)),
            ("deflate", lambda: raw.compress(body) + raw.flush()),
            ("br", lambda: b"\x0b\x02\x80" + body),
            ("zstd", lambda: b"\x28\xb5\x2f\xfd" + body),
        )
    )
    headers["content-encoding"] = random.choice((method, method, method, "", "gzip", "deflate", "br", "identity", "x"))
    data = packed()
    if random.random() < 0.3:
        data = data[: random.randint(0, len(data))]
    if random.random() < 0.2:
        data = b"".join(_flip_bits(random, [data]))
    if random.random() < 0.2:
        data += random.choice(JUNK_BYTES)
    return [data]


def _cut(random: Random, pieces: Sequence[bytes]) -> list[bytes]:
    """The reads."""
    body = b"".join(pieces)
    match random.randrange(5):
        case 0:
            return [body]
        case 1 | 2:
            return [*pieces]
        case 3:
            size = random.choice((1, 2, 3, 7, 64, 1_000)) if len(body) < 3_000 else random.choice((500, 4_096))
            return [body[start : start + size] for start in range(0, len(body), size)]
    edges = sorted({0, len(body), *(random.randint(0, len(body)) for _ in range(random.randint(1, 12)))})
    return [body[start:end] for start, end in pairwise(edges)]


def _stamped(random: Random, reads: Sequence[bytes]) -> tuple[tuple[int, bytes], ...]:
    """Stamps never go back, but the first may lie before the request was sent, by the clock of another core."""
    at_ns = random.choice((-1_000, 0, 1, 500, 40_000, 100 * _MS, 100 * _MS, 3_000 * _MS, 20_000 * _MS))
    gap_ns = random.choice((0, 1, 400, 1_000, 50_000, _MS, 20 * _MS, 20 * _MS, 700 * _MS, 7_000 * _MS))
    stamped = []
    for data in reads:
        stamped.append((at_ns, data))
        at_ns += gap_ns if random.random() < 0.8 else random.randint(0, 3 * gap_ns)
    return tuple(stamped)


def _flip_bits(random: Random, pieces: list[bytes]) -> list[bytes]:
    body = bytearray(b"".join(pieces))
    for _ in range(random.choice((1, 1, 2, 8, 50))):
        if body:
            body[random.randrange(len(body))] ^= 1 << random.randrange(8)
    return [bytes(body)]


def _cut_off(random: Random, pieces: list[bytes]) -> list[bytes]:
    body = b"".join(pieces)
    return [body[: random.randint(0, len(body))]]


def _cut_out(random: Random, pieces: list[bytes]) -> list[bytes]:
    body = b"".join(pieces)
    start = random.randint(0, len(body))
    return [body[:start], body[start + random.choice((1, 1, 3, 20, 200)) :]]


def _insert(random: Random, pieces: list[bytes]) -> list[bytes]:
    body, junk = b"".join(pieces), random.choice(JUNK_BYTES)
    start = random.randint(0, len(body))
    return [body[:start], junk, body[start:]]


def _insert_between(random: Random, pieces: list[bytes]) -> list[bytes]:
    at = random.randint(0, len(pieces))
    return [*pieces[:at], random.choice(JUNK_BYTES), *pieces[at:]]


def _duplicate(random: Random, pieces: list[bytes]) -> list[bytes]:
    if not pieces:
        return pieces
    at = random.randrange(len(pieces))
    return [*pieces[:at], *pieces[at : at + 1] * random.choice((2, 3, 30)), *pieces[at + 1 :]]


def _swap(random: Random, pieces: list[bytes]) -> list[bytes]:
    """Two reads, or two lines."""
    if random.random() < 0.5:
        pieces = b"".join(pieces).splitlines(keepends=True)
    if len(pieces) > 1:
        one, other = random.sample(range(len(pieces)), 2)
        pieces[one], pieces[other] = pieces[other], pieces[one]
    return pieces


def _leave_out(random: Random, pieces: list[bytes]) -> list[bytes]:
    if not pieces:
        return pieces
    at = random.randrange(len(pieces))
    return [*pieces[:at], *pieces[at + 1 :]]


def _splice(random: Random, pieces: list[bytes]) -> list[bytes]:
    """The beginning of one answer and the end of another."""
    other = [*random.choice(recorded_answers()).reads]
    return pieces[: random.randint(0, len(pieces))] + other[random.randint(0, len(other)) :]


def _reline(random: Random, pieces: list[bytes]) -> list[bytes]:
    """Other line ends, or other words before the data."""
    old, new = random.choice(
        (
            (b"\n", b"\r\n"),
            (b"\n", b"\r"),
            (b"\n\n", b"\n"),
            (b"\n\n", b"\n\n\n\r\n"),
            (b"data: ", b"data:"),
            (b"data: ", b""),
            (b"data: ", b"Data: "),
            (b"data: ", b" data: "),
            (b"data: ", b"data: \ndata:"),
            (b"data: ", b"error: "),
            (b"data: ", b"event: error\ndata: "),
            (b"data: ", b"event: message_stop\ndata: "),
            (b",", b",\n"),
            (b",", b",\ndata: "),
            (b'"', b"'"),
            (b"null", b"NaN"),
            (b"null", b'"x"'),
            (b"{", b"[{"),
            (b"}\n", b"}}\n"),
        )
    )
    body = b"".join(pieces)
    return [body.replace(old, new, random.choice((-1, 1, 3)))]


def _documents(random: Random, pieces: list[bytes]) -> list[bytes]:
    """Wrong values inside a JSON document."""
    lines = b"".join(pieces).split(b"\n")
    places = [index for index, line in enumerate(lines) if b"{" in line]
    for index in random.sample(places, min(len(places), random.choice((1, 1, 1, 3)))):
        lines[index] = damage_document(random, lines[index])
    ended = [line + b"\n" for line in lines[:-1]] + lines[-1:]
    return [line for line in ended if line]


def _large(random: Random) -> bytes:
    kind, size = random.randrange(7), random.choice((100_000, 1_000_000))
    return (
        b'data: {"choices":[{"delta":{"%b":"x"}}]}\n\n' % (b"k" * size),
        b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % (b"x" * size),
        b"data: " + b"[" * size,
        b"[" * size + b"\n",
        b"x" * size,
        b"data: y\n" * (size // 8),
        b'data: {"error":{"code":"%b","message":"%b"}}\n\n' % (b"c" * size, b"\\u0000" * (size // 6)),
    )[kind]


_DAMAGES: tuple[Damage, ...] = (
    _flip_bits,
    _cut_off,
    _cut_out,
    _insert,
    _insert_between,
    _duplicate,
    _swap,
    _leave_out,
    _splice,
    _reline,
    _documents,
    _documents,
    _documents,
    _documents,
)
