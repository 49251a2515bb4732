"""Text of a wanted length, made of the sentences of a novel that ships with the service. Used by the workloads.

A text is a random sequence of sentences rather than a piece of the novel: texts that begin at the same place would be
equal up to the end of the shorter one, and a prompt cache would have them.
"""

import re
from functools import lru_cache
from importlib.resources import files

import numpy as np

from shared.workloads.seeded import key_of, words
from shared.workloads.tokenizer import Tokenizer

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"])|(?<=[.!?]\")\s+(?=[A-Z\"])")
# Shorter ones are mostly headings and exclamations.
_SHORTEST_WORDS = 5
# A text is made of more sentences than it needs by the mean, so that it is seldom too short at first.
_SPARE = 1.1
# How often a text may be corrected by the few tokens that it has more or less than its sentences apart.
_CORRECTIONS = 4


@lru_cache
def novel() -> str:
    """About 290 kB of ASCII text: a paragraph in each line, an empty line between two. See `texts/NOTICE`."""
    return (files("shared.workloads") / "texts" / "persuasion.txt").read_text(encoding="utf-8")


@lru_cache
def sentences() -> tuple[str, ...]:
    """The different sentences of the novel, in their order."""
    found = (sentence for paragraph in novel().split("\n\n") for sentence in _SENTENCE_END.split(paragraph))
    return tuple(dict.fromkeys(text.strip() for text in found if len(text.split()) >= _SHORTEST_WORDS))


class Corpus:
    """Texts sized by a tokenizer. It counts the sentences once, which takes a few milliseconds."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        # As they stand within a text: after a space.
        self._sentences = [f" {sentence}" for sentence in sentences()]
        self._tokens = np.array([tokenizer.count(sentence) for sentence in self._sentences])
        self._mean = float(self._tokens.mean())

    def text(self, tokens: int, key: str) -> str:
        """A text of this many tokens. Equal keys give equal texts; fewer tokens give the beginning of the same text.

        Now and then the count is off by one, where a cut through a word changes how the word before it is split.
        """
        seed = key_of(0, key)
        room = tokens
        for _ in range(_CORRECTIONS):
            text = self._of(room, seed)
            missing = tokens - self.tokenizer.count(text)
            if not missing:
                break
            room = max(room + missing, 1)
        return text

    def _of(self, tokens: int, seed: bytes) -> str:
        """Sentences whose counts add up to `tokens`, the last of them cut."""
        count = int(tokens / self._mean * _SPARE) + 8
        while True:
            chosen = (words(seed, count) % np.uint64(len(self._sentences))).astype(np.int64)
            ends = np.cumsum(self._tokens[chosen])
            if ends[-1] >= tokens:
                break
            count *= 2
        last = int(np.searchsorted(ends, tokens))
        left = tokens - (int(ends[last - 1]) if last else 0)
        parts = [self._sentences[number] for number in chosen[:last].tolist()]
        parts.append(self.tokenizer.cut(self._sentences[chosen[last]], left))
        return "".join(parts).removeprefix(" ")


@lru_cache(maxsize=4)
def corpus_of(tokenizer: Tokenizer) -> Corpus:
    """The corpus for a tokenizer, made once in a process."""
    return Corpus(tokenizer)
