"""Keeps keys out of everything that is stored, logged or returned."""

import re
from collections.abc import Iterable

# Patterns of provider keys, authorisation headers and URLs' passwords. They find keys that this process does not know.
_PATTERNS = (
    re.compile(r"\b(?:sk|pk|rk|gsk|xai|api)[-_][A-Za-z0-9_-]{12,}"),
    re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?i)\b(?:x-api-key|api[-_ ]?key|authorization)[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"),
    re.compile(r"(?i)(?<=[?&])(?:ssl)?password=[^&\s]+"),
)
MASK = "[redacted]"


class Scrubber:
    """Replaces known keys and everything that looks like a key."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._keys = sorted((key for key in keys if len(key) >= 4), key=len, reverse=True)

    def scrub(self, text: str, limit: int = 2_000) -> str:
        """The text without keys, cut to `limit` characters."""
        text = self.mask_known(text)
        for pattern in _PATTERNS:
            text = pattern.sub(MASK, text)
        return text if len(text) <= limit else f"{text[: limit - 1]}…"

    def mask_known(self, text: str) -> str:
        """The text without the keys that this process knows. For models' answers, which must not change otherwise."""
        for key in self._keys:
            text = text.replace(key, MASK)
        return text
