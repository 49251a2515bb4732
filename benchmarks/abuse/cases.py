"""Hostile requests, and the largest ones that are allowed."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

FULL = 15_900_000
EXAMPLE = {"name": "a", "model": "sim", "prompts": ["x"]}
BEGIN = json.dumps(EXAMPLE)[:-1].encode()


@dataclass(frozen=True, slots=True)
class Case:
    """One request. `answers`: the statuses that are right."""

    name: str
    answers: tuple[int, ...]
    body: bytes = b""
    method: str = "POST"
    path: str = "/benchmarks"
    headers: dict[str, str] = field(default_factory=dict)
    # Whether it takes little time, also on a busy machine.
    quick: bool = True


def cases() -> Iterator[Case]:
    """One after the other, because each may be 16 MB."""
    yield from _shapes()
    yield from _names()
    yield from _numbers_and_texts()
    yield from _metadata()
    yield from _allowed()
    yield from _heads()
    yield from _queries()
    yield from _other_sites()


def _shapes() -> Iterator[Case]:
    ones = b"1," * (FULL // 2 - 100) + b"1"
    yield Case("`messages` of 750,000 numbers", (422,), _with(b'"prompts":[{"messages":[' + ones[:1_500_001] + b"]}]"))
    yield Case("`prompts` of 8,000,000 numbers", (422,), _with(b'"prompts":[' + ones + b"]"), quick=False)
    objects = _with(b'"prompts":[' + b"{}," * 1_000_000 + b"{}]")
    for content_type in ("application/JSON", "Application/Problem+JSON; charset=utf-8"):
        headers = {"Content-Type": content_type}
        yield Case(f"1,000,000 empty objects as `{content_type}`", (422,), objects, headers=headers)
    yield Case("`prompts` of 100,000 numbers", (422,), _with(b'"prompts":[' + b"1," * 99_999 + b"1]"))
    wrong = b'{"messages":[],"x":1},'
    yield Case("`prompts` of 80,000 wrong objects", (422,), _with(b'"prompts":[' + wrong * 79_999 + wrong[:-1] + b"]"))
    yield Case("5,000,000 empty arrays", (422,), b"[" + b"[]," * (FULL // 3 - 9) + b"[]]", quick=False)
    yield Case("5,000,000 empty objects", (422,), b"[" + b"{}," * (FULL // 3 - 9) + b"{}]", quick=False)
    yield Case("120,000 empty objects", (422,), _with(b'"prompts":[' + b"{}," * 120_000 + b"{}]"))
    yield Case("`stop` of 200,000 numbers", (422,), _with(b'"parameters":{"stop":[' + b"1," * 200_000 + b"1]}"))
    yield Case("`webhook_events` of 200,000 numbers", (422,), _with(b'"webhook_events":[' + b"1," * 200_000 + b"1]"))
    for mark in ("[", "]", "{", '"', ",", ":", "\\", "0", " ", "\x00"):
        yield Case(f"16 MB of `{ascii(mark)[1:-1]}`", (400, 422), mark.encode() * FULL, quick=mark in "[]")
    yield Case("a body above the limit", (413,), b" " * 16_000_001, quick=False)


def _names() -> Iterator[Case]:
    yield Case("a field name of 4 MB", (422,), _with(b'"' + b"n" * 4_000_000 + b'":1'))
    yield Case(
        "a field name of 16 MB with an emoji", (422,), _with(b'"' + "😀".encode() + b"n" * FULL + b'":1'), quick=False
    )
    long = b"n" * 3_800
    yield Case("4,000 unknown fields of 4 kB", (422,), _with(b",".join(b'"%d%s":1' % (n, long) for n in range(4_000))))
    wide = "😀".encode() + long
    many = b",".join(b'"%d%s":1' % (n, wide) for n in range(4_000))
    yield Case("4,000 unknown fields of 4 kB with emojis", (422,), _with(many), quick=False)
    yield Case("500,000 unknown fields", (422,), _with(b",".join(b'"%d":1' % n for n in range(500_000))))
    inner = b",".join(b'"x%d":1' % n for n in range(4_000))
    prompts = b",".join([b"{" + inner + b"}"] * 50)
    yield Case("50 prompts with 4,000 unknown fields each", (422,), _with(b'"prompts":[' + prompts + b"]"))


def _numbers_and_texts() -> Iterator[Case]:
    for key in ({}, {"Idempotency-Key": "abuse-top-k"}):
        body = json.dumps({**EXAMPLE, "parameters": {"top_k": 10**30}}).encode()
        yield Case(f"`top_k` of 10^30, {'with' if key else 'without'} a key", (422,), body, headers=dict(key))
    yield Case("a number of 4,000 digits", (422,), _with(b'"repetitions":' + b"9" * 4_000))
    yield Case("a number of 4,000,000 digits", (400, 422), _with(b'"repetitions":' + b"9" * 4_000_000))
    yield Case("a fraction of 16,000,000 digits", (202,), _with(b'"request_rate":0.' + b"9" * FULL), quick=False)
    yield Case("an exponent of 1,000,000", (400, 422), _with(b'"request_rate":1e1000000'))
    yield Case("a name of 16 MB", (422,), _with(b'"name":"' + b"x" * FULL + b'"'))
    yield Case(
        "a name of 16 MB with an emoji", (422,), _with(b'"name":"' + "😀".encode() + b"x" * FULL + b'"'), quick=False
    )
    yield Case("16 MB of escapes", (422,), _with(b'"name":"' + b"\\u00e9" * (FULL // 6) + b'"'), quick=False)
    yield Case(
        "16 MB of lone surrogates", (400, 422), _with(b'"name":"' + b"\\ud800" * (FULL // 6) + b'"'), quick=False
    )
    yield Case("1 MB with a lone surrogate", (400, 422), _with(b'"name":"' + b"x" * 990_000 + b'\\ud800"'))
    yield Case("16 MB that are no UTF-8", (400, 422), _with(b'"name":"' + b"\xff" * FULL + b'"'), quick=False)
    yield Case(
        "16 MB of text that is not JSON", (415,), b"x" * FULL, headers={"Content-Type": "text/plain"}, quick=False
    )


def _metadata() -> Iterator[Case]:
    deep = b'{"a":' * 199 + b"[" + b"1," * 1_999_000 + b"1]" + b"}" * 199
    yield Case("`metadata` of 4 MB, 200 deep", (422,), _with(b'"metadata":' + deep))
    deep = b'{"a":' * 140 + b"[" + b'"0123456789abcdef",' * 200_000 + b"1]" + b"}" * 140
    yield Case("`metadata` of 4 MB, 140 deep", (422,), _with(b'"metadata":' + deep))
    name = b'{"' + b"n" * 16_000 + b'":'
    for leaf in (b"NaN", b'"\\ud800"', b"1" + b"0" * 30):
        deep = name * 140 + b"[" + (leaf + b",") * 20_000 + leaf + b"]" + b"}" * 140
        title = leaf.decode()[:8]
        yield Case(f"`metadata` with names of 16 kB, 140 deep, of `{title}`", (400, 422), _with(b'"metadata":' + deep))
        yield Case(
            f"`extra_body` with names of 16 kB, 140 deep, of `{title}`", (400, 422), _with(b'"extra_body":' + deep)
        )
    flat = b",".join(b'"%d":{}' % n for n in range(4_000))
    yield Case("`metadata` of 4,000 objects", (422,), _with(b'"metadata":{' + flat + b"}"))


def _allowed() -> Iterator[Case]:
    """The largest requests that are answered 202."""
    wide = json.dumps({**EXAMPLE, "system": "😀" + "x" * (FULL - 200)}, ensure_ascii=False).encode()
    yield Case("one text of 16 MB with an emoji", (422,), wide, quick=False)
    chinese = json.dumps({**EXAMPLE, "system": "好" * ((FULL - 200) // 6)}).encode()
    yield Case("2,600,000 escaped Chinese characters (allowed)", (202,), chinese, quick=False)
    short = json.dumps({**EXAMPLE, "prompts": ["x"] * 10_000}).encode()
    long = json.dumps({**EXAMPLE, "prompts": ["word, " * 263] * 10_000}).encode()
    turns = [{"role": "user", "content": "x" * 260}] * 5
    talks = json.dumps({**EXAMPLE, "prompts": [{"messages": turns}] * 10_000}).encode()
    one = json.dumps({**EXAMPLE, "system": "x" * (FULL - 200)}).encode()
    wide = json.dumps({**EXAMPLE, "system": "😀" + "x" * 4_900_000}, ensure_ascii=False).encode()
    for name, body, quick in (
        ("10,000 short prompts", short, True),
        ("10,000 prompts of 1.6 kB", long, False),
        ("10,000 conversations of 5 turns", talks, False),
        ("one text of 16 MB", one, False),
        ("one text of 5 MB with an emoji", wide, False),
    ):
        yield Case(f"{name} (allowed)", (202,), body, quick=quick)
        key = {"Idempotency-Key": name.replace(" ", "-")}
        yield Case(f"{name}, with a key (allowed)", (202,), body, headers=key, quick=False)
        yield Case(f"{name}, the same again (allowed)", (202,), body, headers=key, quick=False)


def _heads() -> Iterator[Case]:
    refused = (400, 414, 431)
    get: dict[str, Any] = {"method": "GET"}
    models: dict[str, Any] = {"method": "GET", "path": "/models?limit=1"}
    yield Case(
        "a query of 56 kB with 12,000 names",
        (422, 400),
        path="/benchmarks?" + "&".join(f"{n:x}" for n in range(12_000)),
        **get,
    )
    yield Case("a query of 60 kB with one name", (422,), path="/benchmarks?" + "a&" * 30_000, **get)
    yield Case("a query of 16 MB", refused, path="/benchmarks?a=" + "b" * FULL, quick=False, **get)
    yield Case("a path of 60 kB", (404,), path="/" + "a/" * 30_000, **get)
    yield Case("an id of 60,000 digits", (422,), path="/benchmarks/" + "9" * 60_000, **get)
    yield Case("a header of 16 MB", refused, headers={"X-A": "b" * FULL}, quick=False, **models)
    yield Case("2,000 headers", (200, *refused), headers={f"x-{n}": "b" for n in range(2_000)}, **models)
    yield Case("1,000,000 headers", refused, headers={f"x-{n}": "b" for n in range(1_000_000)}, quick=False, **models)
    for name, value in (
        ("Content-Type", "application/json" + ";a" * 29_000),
        ("Content-Type", "application/json; charset=" + "'" * 58_000),
        ("Prefer", "wait" + " " * 58_000 + "x"),
        ("Prefer", ", " * 29_000),
        ("Prefer", "wait=" + "9" * 58_000),
        ("baggage", "a=b," * 14_000),
        ("traceparent", "00-" + "a" * 58_000),
        ("Idempotency-Key", "k" * 58_000),
        ("Accept-Encoding", "gzip," * 11_000),
    ):
        yield Case(
            f"`{name}` of 58 kB: `{value[:12].strip()}…`",
            (202, 422, 415),
            json.dumps(EXAMPLE).encode(),
            headers={name: value},
        )


def _queries() -> Iterator[Case]:
    for parts in (
        ["cost_usd", "1e-20000", 1],
        ["cost_usd", "0e20000", 1],
        ["cost_usd", "NaN", 1],
        ["cost_usd", "Infinity", 1],
        ["ttft_ms", 1e308, 2**63],
        ["ttft_ms", "inf", 1],
        ["input_tokens", 2**64 - 1, 1],
        [[[[[]]]]],
    ):
        cursor = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
        path = f"/benchmarks/1/results?sort={parts[0] if isinstance(parts[0], str) else 'id'}&cursor={cursor}"
        yield Case(f"cursor `{json.dumps(parts)}`", (422,), method="GET", path=path)
    for path in (
        "/benchmarks?created_from=0001-01-01T00:00:00%2B23:59",
        "/benchmarks?created_from=1e400",
        "/benchmarks?name=%00",
        "/benchmarks?name=%ed%a0%80",
        f"/benchmarks?rerun_of={2**63}",
        "/benchmarks/1?include=" + "timeline," * 11,
        f"/benchmarks/{2**64}",
        "/models?q=" + "a+" * 1_000,
    ):
        yield Case(f"`{path[:48]}`", (200, 404, 422), method="GET", path=path)
    yield Case("`name` of 200 `%`", (200,), method="GET", path="/benchmarks?name=" + "%25" * 200)


def _other_sites() -> Iterator[Case]:
    for path in ("/benchmarks/1/rerun", "/benchmarks/1/cancel", "/webhooks/1/test", "/webhooks/1/rotate-secret"):
        yield Case(f"`{path}` from another site's page", (403,), path=path, headers={"Origin": "https://evil.example"})
        yield Case(f"`{path}` from our own webhook", (403,), path=path, headers={"webhook-id": "msg_1"})
    yield Case("`Host: evil.example`", (421,), method="GET", headers={"Host": "evil.example"})
    yield Case("`Host: evil.example`, a change", (421,), json.dumps(EXAMPLE).encode(), headers={"Host": "evil.example"})


def _with(member: bytes) -> bytes:
    return BEGIN + b"," + member + b"}"
