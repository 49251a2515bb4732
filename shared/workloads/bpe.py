"""Byte-pair encoding: how many tokens a word becomes. Used by `tokenizer_json.py`."""

import re
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any

_SPACE = "\u2581"
# Words with a space only at their start.
_SPACE_LED = re.compile(f"{_SPACE}+[^{_SPACE}]*|[^{_SPACE}]+")
_SPACE_INSIDE = re.compile(f"[^{_SPACE}]{_SPACE}")


def _byte_alphabet() -> list[str]:
    """The character that byte-level vocabularies write for each byte: itself if printable, else one from U+0100."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in printable)
    alphabet = {byte: chr(0x100 + number) for number, byte in enumerate(others)}
    return [alphabet.get(byte, chr(byte)) for byte in range(256)]


_BYTES = _byte_alphabet()


def byte_characters(text: str) -> str:
    """The text as byte-level vocabularies write it: a character for each byte of its UTF-8."""
    return "".join(map(_BYTES.__getitem__, text.encode()))


class BytePairs:
    """Merges of pairs, the first in the list before the others."""

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        *,
        whole_words: bool = False,
        byte_fallback: bool = False,
        fuse_unknown: bool = False,
    ) -> None:
        """`whole_words`: a word of the vocabulary is one token, whatever the merges make of it.

        `byte_fallback`: a character that the vocabulary lacks becomes a token for each of its bytes, otherwise one
        token. `fuse_unknown`: neighbours of the latter are one token together.
        """
        self._vocabulary = vocabulary
        self._rank = {pair: rank for rank, pair in enumerate(merges)}
        self._whole_words = whole_words
        self._byte_fallback = byte_fallback
        self._fuse_unknown = fuse_unknown
        # Without a token that goes over a space, the parts between spaces can be counted and remembered by themselves.
        self._spaces_lead = not any(_SPACE_INSIDE.search(token) for token in vocabulary)

    @classmethod
    def of_model(cls, model: Mapping[str, Any]) -> "BytePairs":
        """Of the `model` of a `tokenizer.json`. Raises KeyError, TypeError or ValueError if it is not as they are."""
        vocabulary = model["vocab"]
        if not isinstance(vocabulary, dict) or not vocabulary:
            raise ValueError("vocab must be an object with tokens")
        merges = [tuple(merge.split(" ") if isinstance(merge, str) else merge) for merge in model["merges"]]
        if any(len(merge) != 2 for merge in merges):
            raise ValueError("a merge must have two parts")
        return cls(
            vocabulary,
            [(merge[0], merge[1]) for merge in merges],
            whole_words=bool(model.get("ignore_merges")),
            byte_fallback=bool(model.get("byte_fallback")),
            fuse_unknown=bool(model.get("fuse_unk")),
        )

    def pieces(self, word: str) -> Sequence[str]:
        """Parts of a word whose counts add up to that of the word."""
        return _SPACE_LED.findall(word) if self._spaces_lead and _SPACE in word else (word,)

    def count(self, word: str) -> int:
        """How many tokens the word becomes."""
        if self._whole_words and word in self._vocabulary:
            return 1
        tokens = unknown_before = 0
        for part in self._merged(word):
            if part in self._vocabulary:
                tokens, unknown_before = tokens + 1, 0
            elif self._byte_fallback:
                tokens, unknown_before = tokens + len(part.encode()), 0
            else:
                tokens, unknown_before = tokens + (not (self._fuse_unknown and unknown_before)), 1
        return tokens

    def _merged(self, word: str) -> list[str]:
        """The word with every pair merged, best rank first, and the leftmost of equal ranks."""
        parts: list[str | None] = list(word)
        before, after = list(range(-1, len(parts) - 1)), list(range(1, len(parts) + 1))
        waiting = [
            (rank, place, left, right)
            for place, (left, right) in enumerate(pairwise(word))
            if (rank := self._rank.get((left, right))) is not None
        ]
        heapify(waiting)
        while waiting:
            _, place, left, right = heappop(waiting)
            second = after[place]
            # A merge in between may have changed either part.
            if parts[place] != left or second >= len(parts) or parts[second] != right:
                continue
            parts[place], parts[second] = left + right, None
            after[place] = after[second]
            if after[place] < len(parts):
                before[after[place]] = place
            for first in (before[place], place):
                last = after[first] if first >= 0 else len(parts)
                if last < len(parts):
                    pair = (str(parts[first]), str(parts[last]))
                    if (rank := self._rank.get(pair)) is not None:
                        heappush(waiting, (rank, first, *pair))
        return [part for part in parts if part is not None]
