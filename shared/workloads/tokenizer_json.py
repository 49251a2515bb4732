"""Counts tokens as a `tokenizer.json` says. Used by `tokenizer.py`.

The package that usually reads such files needs a client of a model hub, which the service must not have. This reads
what the models of today use: byte-pair encoding, by bytes or by characters. What it does not know, it refuses.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from shared.workloads.bpe import BytePairs, byte_characters
from shared.workloads.unicode_pattern import UnreadablePattern, compiled

MAX_BYTES = 64 * 2**20
_WORDS_KEPT = 100_000
# How the byte-level pre-tokenizer splits, if the file names no pattern of its own.
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_SPACE = "\u2581"

_Normalize = Callable[[str], str]
_Split = Callable[[Sequence[str]], Sequence[str]]


class UnreadableTokenizer(ValueError):
    """The file is not a tokenizer that can be read here. The message says what is unknown in it."""


class TokenizerJson:
    """A tokenizer. Special tokens, and what a chat template adds, are not counted."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Raises UnreadableTokenizer."""
        try:
            self._normalize = _normalizer(document.get("normalizer"))
            self._split = _pre_tokenizer(document.get("pre_tokenizer"))
            model = document["model"]
            if model.get("type", "BPE") != "BPE":
                raise UnreadableTokenizer(f"the model {model['type']!r} is not known, only BPE")
            pairs = BytePairs.of_model(model)
        except UnreadablePattern as exc:
            raise UnreadableTokenizer(str(exc)) from exc
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            if isinstance(exc, UnreadableTokenizer):
                raise
            raise UnreadableTokenizer(f"this is not a tokenizer.json ({type(exc).__name__}: {exc})") from exc
        self._pieces = pairs.pieces
        self._count = lru_cache(maxsize=_WORDS_KEPT)(pairs.count)

    @classmethod
    def read(cls, path: Path) -> "TokenizerJson":
        """Raises UnreadableTokenizer."""
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableTokenizer(f"the file is larger than {MAX_BYTES // 2**20} MB")
        try:
            document = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as exc:
            raise UnreadableTokenizer(f"the file is not JSON: {exc}") from exc
        if not isinstance(document, dict):
            raise UnreadableTokenizer("the file is not a JSON object")
        return cls(document)

    def count(self, text: str) -> int:
        if not text:
            return 0
        words = self._split([self._normalize(text)])
        return sum(self._count(piece) for word in words for piece in self._pieces(word))


def _normalizer(part: Mapping[str, Any] | None) -> _Normalize:
    if part is None:
        return lambda text: text
    match part["type"]:
        case "Sequence":
            steps = [_normalizer(step) for step in part["normalizers"]]
            return lambda text: _in_turn(steps, text)
        case "NFC" | "NFD" | "NFKC" | "NFKD" as form:
            return lambda text: unicodedata.normalize(form, text)
        case "Lowercase":
            return str.lower
        case "Prepend":
            before = part["prepend"]
            return lambda text: before + text
        case "Replace":
            pattern, content = compiled(_pattern(part["pattern"])), part["content"]
            return lambda text: pattern.sub(lambda _found: content, text)
        case other:
            raise UnreadableTokenizer(f"the normalizer {other!r} is not known")


def _in_turn(steps: Sequence[_Normalize], text: str) -> str:
    for step in steps:
        text = step(text)
    return text


def _pattern(part: Mapping[str, str]) -> str:
    if "Regex" in part:
        return part["Regex"]
    return "".join(f"\\U{ord(character):08x}" for character in part["String"])


def _pre_tokenizer(part: Mapping[str, Any] | None) -> _Split:
    if part is None:
        return lambda words: words
    match part["type"]:
        case "Sequence":
            return _sequence([_pre_tokenizer(step) for step in part["pretokenizers"]])
        case "ByteLevel":
            return _byte_level(part)
        case "Split":
            return _splitter(_pattern(part["pattern"]), part["behavior"], invert=part.get("invert", False))
        case "Digits":
            return _splitter(r"\p{N}" if part["individual_digits"] else r"\p{N}+", "Isolated")
        case "Metaspace":
            return _metaspace(part)
        case other:
            raise UnreadableTokenizer(f"the pre-tokenizer {other!r} is not known")


def _sequence(steps: Sequence[_Split]) -> _Split:
    def split(words: Sequence[str]) -> Sequence[str]:
        for step in steps:
            words = step(words)
        return words

    return split


def _byte_level(part: Mapping[str, Any]) -> _Split:
    before = _splitter(_GPT2, "Isolated") if part.get("use_regex", True) else (lambda words: words)
    prefix = part.get("add_prefix_space", True)

    def split(words: Sequence[str]) -> Sequence[str]:
        if prefix:
            words = [word if word.startswith(" ") else f" {word}" for word in words]
        return [byte_characters(word) for word in before(words)]

    return split


def _splitter(pattern: str, behavior: str, *, invert: bool = False) -> _Split:
    if behavior not in ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext"):
        raise UnreadableTokenizer(f"the behavior {behavior!r} of a split is not known")
    found = compiled(pattern)

    def split(words: Sequence[str]) -> Sequence[str]:
        return [part for word in words for part in _parts(word)]

    def _parts(word: str) -> list[str]:
        spans, last = [], 0
        for match in found.finditer(word):
            start, end = match.span()
            if start > last:
                spans.append((word[last:start], invert))
            if end > start:
                spans.append((word[start:end], not invert))
            last = max(last, end)
        if last < len(word):
            spans.append((word[last:], invert))
        return _joined(spans, behavior)

    return split


def _joined(spans: Sequence[tuple[str, bool]], behavior: str) -> list[str]:
    """The parts of a word. Of each span, the flag says whether it is a delimiter."""
    if behavior == "Isolated":
        return [text for text, _ in spans]
    if behavior == "Removed":
        return [text for text, delimiter in spans if not delimiter]
    forward = behavior == "MergedWithPrevious"
    parts: list[str] = []
    open_part = False
    for text, delimiter in spans if forward else reversed(spans):
        if delimiter and open_part:
            parts[-1] = parts[-1] + text if forward else text + parts[-1]
        else:
            parts.append(text)
        open_part = not delimiter
    return parts if forward else parts[::-1]


def _metaspace(part: Mapping[str, Any]) -> _Split:
    mark = part.get("replacement", _SPACE)
    scheme = part.get("prepend_scheme") or ("always" if part.get("add_prefix_space", True) else "never")
    splits = _splitter(f"\\U{ord(mark):08x}", "MergedWithNext") if part.get("split", True) else None

    def split(words: Sequence[str]) -> Sequence[str]:
        marked = [word.replace(" ", mark) for word in words]
        for number, word in enumerate(marked):
            if (scheme == "always" or (scheme == "first" and number == 0)) and not word.startswith(mark):
                marked[number] = mark + word
        return splits(marked) if splits else marked

    return split
