"""Whether the bytes of an answer hold anything that ends one, found by search and not by decoding."""

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

from tests.fuzz.sent import Sent

# A finish reason, or the name of an event that ends a stream, in any protocol.
_END = re.compile(
    r'"(?:finish_reason|stop_reason)"\s*:\s*"[^"]'
    r"|message_stop|\[DONE\]|response\.(?:completed|incomplete|done)"
    r'|"status"\s*:\s*"(?:completed|incomplete|done)"'
)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
# What may stand between the parts of a document that lies on several lines.
_LINES = re.compile(r"[\r\n]+(?:data:)? ?")


def ends(sent: Sent) -> bool:
    """True if there is a terminal event, a finish reason, or a whole answer in one document."""
    return any(_in_text(text) for text in _texts(sent.body))


def _texts(body: bytes) -> Iterator[str]:
    for data in (body, *_inflated(body)):
        text = data.decode("utf-8", "replace")
        yield text
        yield _LINES.sub("", text)
        yield _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def _inflated(body: bytes) -> Iterator[bytes]:
    """The body without its compression, as far as each method comes with it."""
    for bits in (31, 15, -15):
        left, out = body, b""
        while left:
            inflate = zlib.decompressobj(wbits=bits)
            try:
                # Byte by byte where it is damaged, so that all before the damage is seen.
                out += inflate.decompress(left)
            except zlib.error:
                out += _until_damage(left, bits)
                break
            left = inflate.unused_data
        if out:
            yield out


def _until_damage(data: bytes, bits: int) -> bytes:
    inflate, out = zlib.decompressobj(wbits=bits), b""
    try:
        for index in range(len(data)):
            out += inflate.decompress(data[index : index + 1])
    except zlib.error:
        pass
    return out


def _in_text(text: str) -> bool:
    return _END.search(text) is not None or any(_is_whole_answer(document) for document in _documents(text))


def _documents(text: str) -> Iterator[Any]:
    """Every JSON object that begins in the text, apart from those inside another."""
    # Some servers write control characters into texts as they are.
    decoder, at = json.JSONDecoder(strict=False), 0
    while (at := text.find("{", at)) >= 0:
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        yield document


def _is_whole_answer(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    choices = document.get("choices")
    if isinstance(choices, list) and any(isinstance(choice, dict) and "message" in choice for choice in choices):
        return True
    if document.get("object") == "response" or isinstance(document.get("output"), list):
        return True
    return document.get("type") == "message" or isinstance(document.get("content"), list)
