"""Large answers that a careless decoder reads again and again. Each function makes one of about so many bytes."""

from collections.abc import Callable

from tests.support.servers.scripted import cut

Reads = list[bytes]


def _one(*parts: bytes) -> Reads:
    return [b"".join(parts)]


def _chunk(text: bytes) -> bytes:
    return b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % text


ANSWERS: dict[str, Callable[[int], Reads]] = {
    "one-giant-line": lambda size: _one(_chunk(b"x" * size)),
    "one-giant-line-in-small-reads": lambda size: cut(_chunk(b"x" * size), 100),
    "a-line-without-end-in-small-reads": lambda size: cut(b"data: " + b"x" * size, 100),
    "a-line-of-brackets-in-small-reads": lambda size: cut(b"data: " + b"}" * size, 100),
    "small-events": lambda size: _one(_chunk(b"x") * (size // 50)),
    "small-events-in-tiny-reads": lambda size: cut(_chunk(b"x") * (size // 50), 7),
    "data-lines-without-blank-line": lambda size: _one(b"data: word\n" * (size // 11)),
    "data-lines-of-closing-brackets": lambda size: _one(b"data: {\n", b"data: }\n" * (size // 8)),
    "data-lines-of-documents-after-a-word": lambda size: _one(b"data: x\n", b"data: {]\n" * (size // 9)),
    "endless-opening-brackets": lambda size: _one(b"data: " + b"[" * size + b"\n\n"),
    "endless-objects": lambda size: _one(b'data: {"a":' + b'{"a":' * (size // 5) + b"\n\n"),
    "a-bare-document-over-many-lines": lambda size: _one(b'{"a": [\n', b"{}\n,\n" * (size // 5), b"{}\n]}"),
    "bare-closing-brackets": lambda size: _one(b"{\n", b"}\n" * (size // 2)),
    "bare-closing-brackets-in-small-reads": lambda size: cut(b"[" * 10 + b"\n" + b"]\n" * (size // 2), 100),
    "a-bare-document-in-small-reads": lambda size: cut(b'{"a": [' + b"{}," * (size // 3) + b"{}]}", 100),
    "a-bare-document-that-is-none": lambda size: cut(b"{" + b"]" * size, 100),
    "text-in-lines": lambda size: _one(b"hello\n" * (size // 6)),
    "line-ends": lambda size: _one(b"\n" * size),
    "carriage-returns-one-by-one": lambda size: cut(b"\r" * size, 10),
    "html-tags": lambda size: _one(b"<" + b"<title>" * (size // 7)),
    "an-error-of-many-parts": lambda size: _one(b'data: {"error":[' + b'{"message":"x"},' * (size // 16) + b"1]}\n\n"),
    "an-error-of-documents-in-texts": lambda size: _one(
        b'data: {"error":{' + b",".join(b'"f%d":"[[["' % n for n in range(size // 12)) + b"}}\n\n"
    ),
    "usage-of-many-fields": lambda size: _one(
        b'data: {"usage":{' + b",".join(b'"tokens%d":1' % n for n in range(size // 14)) + b"}}\n\n"
    ),
    "many-choices": lambda size: _one(
        b'data: {"choices":[' + b'{"delta":{"content":"x"}},' * (size // 26) + b"1]}\n\n"
    ),
    "a-list-of-documents": lambda size: _one(
        b"data: [" + b'{"choices":[{"delta":{"content":"x"}}]},' * (size // 40) + b"1]\n\n"
    ),
    "parts-in-parts": lambda size: _one(
        b'data: {"choices":[{"delta":{"content":[' + b'{"text":[{"text":["x"]}]},' * (size // 26) + b'""]}}]}\n\n'
    ),
    "a-giant-number": lambda size: _one(b'data: {"usage":{"completion_tokens":' + b"9" * size + b"}}\n\n"),
    "surrogates": lambda size: _one(_chunk(b"\\ud800" * (size // 6))),
    "spaces-before-the-answer": lambda size: _one(_chunk(b" " * 1_000) * (size // 1_050)),
    "invalid-utf-8": lambda size: _one(_chunk(b"\xff" * size)),
}
# Bodies of error answers. Not more than 64,000 bytes of them are read.
REFUSALS: dict[str, Callable[[int], bytes]] = {
    "tags": lambda size: b"<html>" + b"<" * size,
    "titles": lambda size: b"<html>" + b"<title>" * (size // 7),
    "half-a-title": lambda size: b"<html>" + b"<title " * (size // 7),
    "ends-of-titles": lambda size: b"<html><title>" + b"</title  " * (size // 9),
    "brackets": lambda size: b"[" * size,
    "lines": lambda size: b"data: {\n" * (size // 8),
    "spaces": lambda size: b" " * size,
    "keys": lambda size: b"x-api-key: " * (size // 11),
    "addresses": lambda size: b"://" + b"a:" * (size // 2),
    "texts-in-texts": lambda size: b'{"error":[' + b'"{",' * (size // 4) + b"1]}",
}
