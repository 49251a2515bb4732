"""Turns an answer that is not 2xx into a request error: its kind, the provider's words, how long to wait."""

import html
import re
from collections.abc import Mapping
from datetime import datetime

import orjson

from shared.benchmark.results.record import RequestError
from shared.protocols.compression import decompressed
from shared.protocols.error_shapes import stated_failure
from shared.protocols.refusal_limits import MAX_REFUSAL_BYTES
from shared.protocols.retry_after import retry_after_s
from shared.scrubber import Scrubber, shorten
from shared.text import replace_unstorable

_MAX_TEXT, _MAX_CODE = 300, 100
# The first of these parts of a page that is there says best what went wrong.
_HTML_PARTS = [
    (re.compile(rf"<{part}\b[^<>]*>", re.I), re.compile(rf"</{part}\b", re.I)) for part in ("title", "h1", "body")
]
_HTML_START = re.compile(r"\s*<(?:!doctype\s+html|html|head|body|h1|title)\b", re.I)
_TAG = re.compile(r"<[^<>]*>")


def refusal(status: int, headers: Mapping[str, str], body: bytes, scrubber: Scrubber, now: datetime) -> RequestError:
    """The error of an answer with this body, as it was sent; `now`: its arrival."""
    encoding = headers.get("content-encoding", "")
    text = decompressed(body[:MAX_REFUSAL_BYTES], encoding, MAX_REFUSAL_BYTES).decode("utf-8", "replace")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    return status_error(status, headers, document, text, scrubber, now)


def status_error(
    status: int, headers: Mapping[str, str], body: object, text: str, scrubber: Scrubber, now: datetime
) -> RequestError:
    """The error of an answer. `body`: its JSON, None if it has none; `text`: the answer as text; `now`: its arrival."""
    document = body if body is not None else _event_of(text)
    # Amazon names the error in a header only.
    failure = stated_failure(document, status, headers.get("x-amzn-errortype"))
    message = failure.message or f"HTTP {status}: {_words(text)}"
    if 300 <= status < 400 and (place := _place(headers.get("location", ""))):
        message = f"{message} (leads to {place})"
    return RequestError(
        kind=failure.kind,
        message=scrubber.scrub(message),
        phase="before_first_token",
        http_status=status,
        provider_code=scrubber.scrub(failure.provider_code, _MAX_CODE) if failure.provider_code else None,
        retry_after_s=retry_after_s(headers, document, now, message),
    )


def _place(location: str) -> str:
    """Where a redirect leads, without what may be secret: a user with a password, a query."""
    place = re.sub(r"(?<=//)[^/@]*@", "", location.partition("?")[0].partition("#")[0])
    return replace_unstorable(shorten(place.strip(), _MAX_TEXT))[0]


def _event_of(text: str) -> object:
    """The JSON in the first event of a stream: some servers refuse with an event. None if there is none."""
    for line in text[: _MAX_TEXT * 100].lstrip("\ufeff").splitlines():
        name, colon, value = line.partition(":")
        try:
            return orjson.loads(value if colon and name == "data" else line)
        except orjson.JSONDecodeError:
            continue
    return None


def _words(text: str) -> str:
    """The words of an answer that is not JSON. Of a web page, its title."""
    if _HTML_START.match(text):
        found = (part for edges in _HTML_PARTS if (part := _between(text, *edges)) is not None)
        words = (" ".join(html.unescape(_TAG.sub(" ", part)).split()) for part in found)
        text = next((word for word in words if word), text)
    return replace_unstorable(shorten(text.strip(), _MAX_TEXT))[0] or "no words"


def _between(text: str, start: re.Pattern[str], end: re.Pattern[str]) -> str | None:
    """What stands between the two. Two searches, because one pattern for all of it can take very long."""
    begun = start.search(text)
    ended = None if begun is None else end.search(text, begun.end())
    return None if begun is None or ended is None else text[begun.end() : ended.start()]
