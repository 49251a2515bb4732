"""Counts tokens without a network. Such a count is an estimate: only the provider knows what its model was given.

Used by the workloads that size texts. `tokenizer_of` chooses the encoding.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from shared.errors import InvalidRequest
from shared.workloads.tokenizer_json import TokenizerJson, UnreadableTokenizer
from shared.workloads.vocabularies import VOCABULARIES

# What a spec's `tokenizer` may say, and what the library calls it.
ENCODINGS = {
    "cl100k": "cl100k_base",
    "o200k": "o200k_base",
    "harmony": "o200k_harmony",
    "qwen3.5": "qwen3.5",
}
# The encoding of a model by the start of its name, first match. The encodings of other models are not known; o200k is
# the nearest, since it is as large as theirs.
_BY_MODEL = (
    ("gpt-oss", "harmony"),
    ("gpt-3.5", "cl100k"),
    ("gpt-4o", "o200k"),
    ("gpt-4.", "o200k"),
    ("gpt-4", "cl100k"),
    ("qwen", "qwen3.5"),
    ("qwq", "qwen3.5"),
)
_OTHERS = "o200k"


class Tokenizer(ABC):
    """Counts tokens and cuts texts by them. All its counts are estimates of what a provider reports."""

    name: str

    @abstractmethod
    def count(self, text: str) -> int:
        """How many tokens the text has by itself, without what a chat template puts around it."""

    def count_all(self, texts: Sequence[str]) -> list[int]:
        """The counts of many texts. Far faster than one by one where the library takes them together."""
        return [self.count(text) for text in texts]

    @abstractmethod
    def cut(self, text: str, tokens: int) -> str:
        """The longest beginning of the text that has at most so many tokens. It never ends inside a character."""


class BuiltinTokenizer(Tokenizer):
    """One of ENCODINGS. Its vocabulary is in another process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._encoding = ENCODINGS[name]

    def count(self, text: str) -> int:
        return self.count_all([text])[0]

    def count_all(self, texts: Sequence[str]) -> list[int]:
        return VOCABULARIES.count(self._encoding, list(texts))

    def cut(self, text: str, tokens: int) -> str:
        return VOCABULARIES.cut(self._encoding, text, tokens)


class FileTokenizer(Tokenizer):
    """A `tokenizer.json` of one's own."""

    def __init__(self, name: str, read: TokenizerJson) -> None:
        self.name = name
        self._read = read

    def count(self, text: str) -> int:
        return self._read.count(text)

    def cut(self, text: str, tokens: int) -> str:
        """Found by halving: a beginning may have more tokens than a longer one, but seldom and by few."""
        if self.count(text) <= tokens:
            return text
        fits, too_long = 0, len(text)
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            if self.count(text[:middle]) <= tokens:
                fits = middle
            else:
                too_long = middle
        return text[:fits]


def encoding_for(model: str) -> str:
    """The name in ENCODINGS that is nearest to a model's own encoding. A provider's prefix does not matter."""
    name = model.lower().rpartition("/")[2]
    return next((encoding for start, encoding in _BY_MODEL if name.startswith(start)), _OTHERS)


def tokenizer_of(model: str, wanted: str | None, folder: Path | None = None) -> Tokenizer:
    """The tokenizer for a model, or the one that a spec wants: an encoding, or a file in `folder`.

    Raises InvalidRequest if there is no such file, or if it cannot be read.
    """
    if wanted is None or wanted in ENCODINGS:
        return _builtin(wanted or encoding_for(model))
    if folder is None:
        raise InvalidRequest.of("workload.tokenizer", "no folder of tokenizers is configured", "unknown_tokenizer")
    path = (folder / wanted).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise InvalidRequest.of("workload.tokenizer", f"there is no file {wanted!r}", "unknown_tokenizer")
    stat = path.stat()
    try:
        return _file(wanted, path, stat.st_mtime_ns, stat.st_size)
    except UnreadableTokenizer as exc:
        raise InvalidRequest.of("workload.tokenizer", f"{wanted}: {exc}", "unknown_tokenizer") from exc


@lru_cache
def _builtin(name: str) -> Tokenizer:
    return BuiltinTokenizer(name)


@lru_cache(maxsize=4)
def _file(name: str, path: Path, _changed_ns: int, _size: int) -> Tokenizer:
    return FileTokenizer(name, TokenizerJson.read(path))
