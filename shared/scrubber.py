"""Keeps keys out of everything that is stored, logged or returned."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

# Patterns of provider keys, of our own (`lbk_`), of authorisation headers and URLs' passwords. They find keys that this
# process does not know.
_PATTERNS = (
    re.compile(r"\b(?:sk|pk|rk|gsk|xai|api|lbk)[-_][A-Za-z0-9_-]{12,}"),
    # Keys of one provider each. The lengths keep words such as `hf_hub_download` and `pplx-70b-online` out.
    re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"),
    re.compile(r"\bAQ\.[A-Za-z0-9_-]{30,}"),
    re.compile(r"\b(?:fw|hf|r8|tgp_v1)_[A-Za-z0-9]{20,}"),
    re.compile(r"\b(?:csk|nvapi|pplx)-[A-Za-z0-9_-]{30,}"),
    re.compile(r"\b(?:gh[oprsu]|github_pat)_[A-Za-z0-9_]{30,}"),
    re.compile(r"\bABSK[A-Za-z0-9+/]{40,}={0,2}"),
    # JSON web tokens: the first part is `{"` in base64.
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"),
    # Of our own webhooks.
    re.compile(r"\bwhsec_[A-Za-z0-9+/=]{12,}"),
    re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?i)\b(?:x-api-key|api[-_ ]?key|authorization)[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"),
    re.compile(r"(?i)(?<=[?&])(?:ssl)?password=[^&\s]+"),
    re.compile(r"(?i)(?<=[?&])(?:(?:api|access)[-_]?)?(?:key|token)=[^&\s\"']{16,}"),
)
# Names of headers, query parameters and fields whose value is a secret, whatever it looks like.
# `prompt_cache_key` and `eos_token` are none.
_SECRET_NAME = re.compile(
    r"(?i)^(?!.*cache[-_]?key$)(?:sig|set-cookie|cookie|x-.*token|(?:.*[-_])?key"
    r"|.*(?:api|access|subscription|secret|private|account)key"
    r"|.*(?:authorization|credentials?|passw(?:or)?d|passphrase|secret|signature)"
    r"|(?:.*[-_])?(?:(?:access|auth|api|bearer|id|refresh|security|session)[-_]?)?token)$"
)
_NO_SECRET = re.compile(r"(?i)^(?:bos|eos|pad|stop|unk|sep|cls|mask)[-_]token$")
# Characters that may follow each other in a key: all of ASCII but spaces and quotes.
_WORD = re.compile(r"[!#-&(-~]+")
MASK = "[redacted]"


def looks_secret(name: str, value: str) -> bool:
    """Whether a text is a secret, by the name of its header, parameter or field, or because it looks like a key."""
    named = _SECRET_NAME.match(name) and not _NO_SECRET.match(name)
    return bool(named) or any(pattern.search(value) for pattern in _PATTERNS)


def secrets_in(value: Any, path: tuple[int | str, ...] = ()) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """(path, text) of each text in a JSON value that is a secret, by the name of its field or by its looks."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        if isinstance(part, str) and looks_secret(str(name), part):
            yield (*path, name), part
        yield from secrets_in(part, (*path, name))


def without_secrets(value: Any, name: str = "") -> Any:
    """A JSON value with MASK in place of each secret."""
    if isinstance(value, dict):
        return {key: without_secrets(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [without_secrets(part) for part in value]
    return MASK if isinstance(value, str) and looks_secret(name, value) else value


def shorten(text: str, most: int) -> str:
    """The text, cut to so many characters before its keys are masked.

    It is cut between two words, unless it is one long word: half of a key would not be recognised.
    """
    if len(text) <= most:
        return text
    backwards = _WORD.match(text[most::-1])
    end = most + 1 - (backwards.end() if backwards else 1)
    return text[: end or most]


class Scrubber:
    """Replaces known keys and everything that looks like a key."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._keys: list[str] = []
        self.learn(keys)

    def learn(self, keys: Iterable[str]) -> None:
        """Masks these keys from now on too."""
        known = {*self._keys, *(key for key in keys if len(key) >= 4)}
        self._keys = sorted(known, key=len, reverse=True)

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
