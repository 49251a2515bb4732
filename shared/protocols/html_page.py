"""An HTML page in place of an answer: what a proxy or a wrong address sends. `decoders.py` keeps its beginning."""

import re

from shared.scrubber import shorten

# Bytes of a page that are kept for its words.
MOST_BYTES = 8_000
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]{0,200}>")


def words_of(page: bytes) -> str:
    """Its title, or its text without tags; at most 300 characters."""
    text = page.decode("utf-8", "replace")
    title = _TITLE.search(text)
    return shorten(" ".join((title.group(1) if title else _TAG.sub(" ", text)).split()), 300)
