"""The body decides what an answer is, not its label."""

import gzip
import zlib
from typing import Any

import orjson

from tests.e2e.field.case import Answer, Case, other_than
from tests.e2e.field.wire import DONE, HI, STOP, counts, message, text, usage, whole

_STREAM = HI + text(" you") + STOP + usage(3, 2) + DONE
_SAID = {"outcome": "succeeded", "response": "Hi you", "output_tokens": 2}
_JSON = whole({"role": "assistant", "content": "Hi you"}, usage=counts(3, 2))
_ERROR = b'{"error":{"message":"Slow down","type":"rate_limit_error"}}'
_LIMITED = {"outcome": "errored", "error_kind": "rate_limited", "message_has": "slow down"}
_HTML = b"<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body>Sign in</body></html>\n"
_NAMED = other_than("truncated", "malformed_event", "empty_answer")
_LABELS = {
    "stream": "text/event-stream",
    "stream-in-capitals": "Text/Event-Stream; Charset=UTF-8",
    "json": "application/json",
    "json-with-charset": "application/json; charset=utf-8",
    "text": "text/plain",
    "html": "text/html",
    "lines": "application/x-ndjson",
    "bytes": "application/octet-stream",
    "nothing": None,
}
_ANTHROPIC = orjson.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "content": [{"type": "text", "text": "Hi you"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
)


def _compressed(name: str, body: bytes, encoding: str, must: dict[str, Any], kind: str = "text/event-stream") -> Case:
    return Case(name, Answer((50, body), content_type=kind, headers={"content-encoding": encoding}), must)


def _deflated() -> list[tuple[float, bytes]]:
    """A stream that is flushed after each event, as a proxy does that compresses on the fly."""
    packer = zlib.compressobj(wbits=31)
    parts = ((50.0, HI), (150.0, text(" you")), (250.0, STOP + usage(3, 2) + DONE))
    reads = [(at, packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)) for at, part in parts]
    return [*reads, (260.0, packer.flush())]


CASES = (
    *[
        Case(
            f"stream-under-{name}",
            Answer((50, HI), (150, text(" you") + STOP + usage(3, 2) + DONE), content_type=label),
            {**_SAID, "ttft_ms": 50, "latency_ms": 150, "no_flags": "not_streamed"},
        )
        for name, label in _LABELS.items()
    ],
    *[
        Case(
            f"json-under-{name}",
            Answer((50, _JSON), content_type=label),
            {**_SAID, "flags": "not_streamed", "tokens_per_second": None},
        )
        for name, label in _LABELS.items()
    ],
    *[
        Case(f"json-error-under-{name}", Answer((50, _ERROR), content_type=label), _LIMITED)
        for name, label in _LABELS.items()
    ],
    *[
        Case(
            f"html-under-{name}",
            Answer((50, _HTML), content_type=_LABELS[name]),
            {"outcome": "errored", "error_kind": _NAMED, "message_has": "html"},
        )
        for name in ("html", "stream", "json")
    ],
    Case(
        "json-under-stream-of-anthropic",
        Answer((50, _ANTHROPIC)),
        {**_SAID, "flags": "not_streamed"},
        protocol="anthropic",
    ),
    Case(
        "stream-under-json-of-anthropic",
        Answer((50, message("Hi", " you", output_tokens=2)), content_type="application/json"),
        {**_SAID, "flags": "mislabelled"},
        protocol="anthropic",
    ),
    Case(
        "json-of-anthropic",
        Answer((50, _ANTHROPIC), content_type="application/json"),
        {**_SAID, "flags": "not_streamed", "input_tokens": 3},
        protocol="anthropic",
    ),
    Case(
        "json-in-pieces-and-lines",
        Answer(
            (50, b"\n  " + orjson.dumps(orjson.loads(_JSON), option=orjson.OPT_INDENT_2)[:40]),
            (90, orjson.dumps(orjson.loads(_JSON), option=orjson.OPT_INDENT_2)[40:] + b"\n"),
        ),
        {**_SAID, "flags": "not_streamed"},
    ),
    Case("json-with-a-byte-order-mark", Answer((50, b"\xef\xbb\xbf" + _JSON)), _SAID),
    Case("stream-with-a-byte-order-mark", Answer((50, b"\xef\xbb\xbf" + _STREAM)), _SAID),
    Case("stream-after-blank-lines", Answer((50, b"\n\n\r\n" + _STREAM)), _SAID),
    Case("stream-with-windows-lines", Answer((50, _STREAM.replace(b"\n", b"\r\n"))), _SAID),
    Case(
        "json-lines-without-data",
        Answer(
            (50, HI.replace(b"data: ", b"")),
            (150, (text(" you") + STOP + usage(3, 2)).replace(b"data: ", b"")),
            content_type="application/x-ndjson",
        ),
        {**_SAID, "ttft_ms": 50, "latency_ms": 150, "flags": "bare_json"},
    ),
    # Compressed, although identity was asked for.
    _compressed("gzip-stream", gzip.compress(_STREAM), "gzip", {**_SAID, "flags": "compressed"}),
    _compressed(
        "gzip-json",
        gzip.compress(_JSON),
        "gzip",
        {**_SAID, "flags": ("compressed", "not_streamed")},
        "application/json",
    ),
    _compressed("gzip-error", gzip.compress(_ERROR), "gzip", _LIMITED, "application/json"),
    _compressed("deflate-stream", zlib.compress(_STREAM), "deflate", {**_SAID, "flags": "compressed"}),
    _compressed(
        "unknown-encoding",
        b"\x00\x01\x02\x03",
        "x-secret",
        {"outcome": "errored", "error_kind": _NAMED, "message_has": "x-secret"},
    ),
    _compressed(
        "broken-gzip", gzip.compress(_STREAM)[:10] + b"\xff" * 50, "gzip", {"outcome": "errored", "error_kind": _NAMED}
    ),
    Case(
        "gzip-stream-in-parts",
        Answer(*_deflated(), headers={"content-encoding": "gzip"}),
        {**_SAID, "ttft_ms": 50, "latency_ms": 150},
    ),
    Case(
        "gzip-without-saying-so",
        Answer((50, gzip.compress(_STREAM))),
        {"outcome": other_than("truncated")},
    ),
    # Nothing, and what is no answer.
    Case("empty-body", Answer(), {"outcome": "errored", "error_kind": other_than("truncated"), "response": None}),
    Case(
        "empty-json-body",
        Answer(content_type="application/json"),
        {"outcome": "errored", "error_kind": other_than("truncated")},
    ),
    Case(
        "plain-words",
        Answer((50, b"upstream connect error or disconnect/reset before headers"), content_type="text/plain"),
        {"outcome": "errored", "error_kind": _NAMED, "message_has": "upstream connect error"},
    ),
    Case(
        "json-of-another-kind",
        Answer((50, b'{"status":"ok"}'), content_type="application/json"),
        {"outcome": "errored", "error_kind": other_than("truncated")},
    ),
)
