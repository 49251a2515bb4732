"""Text of a wanted length, made of the sentences of a novel that ships with the service. Used by the workloads.

A text is a random sequence of phrases rather than a piece of the novel: texts that begin at the same place would be
equal up to the end of the shorter one, and a prompt cache would have them.
"""

import re
from functools import lru_cache
from importlib.resources import files

import numpy as np

from shared.workloads.seeded import key_of, words
from shared.workloads.tokenizer import Tokenizer

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"])|(?<=[.!?]\")\s+(?=[A-Z\"])")
_CLAUSE_END = re.compile(r"(?<=[,;:])\s+|(?<=--)")
# A sentence of more words is taken apart, into phrases of at least as many as the second number says.
_LONGEST_WORDS, _SHORTEST_WORDS = 24, 6
# A text is made of more phrases than it needs by the mean, so that it is seldom too short at first.
_SPARE = 1.1
# How often a text may be corrected by the few tokens that it has more or less than its phrases alone.
_CORRECTIONS = 4


@lru_cache
def novel() -> str:
    """About 290 kB of ASCII text: a paragraph in each line, an empty line between two. See `texts/NOTICE`."""
    return (files("shared.workloads") / "texts" / "persuasion.txt").read_text(encoding="utf-8")


@lru_cache
def phrases() -> tuple[str, ...]:
    """The different sentences of the novel, or parts of them, in their order. Each has 6 words or more."""
    found = (
        phrase
        for paragraph in novel().split("\n\n")
        for sentence in _SENTENCE_END.split(paragraph)
        for phrase in _phrases_of(sentence.strip())
    )
    return tuple(dict.fromkeys(phrase for phrase in found if len(phrase.split()) >= _SHORTEST_WORDS))


def _phrases_of(sentence: str) -> list[str]:
    if len(sentence.split()) <= _LONGEST_WORDS:
        return [sentence]
    found, clauses = [], []
    for clause in _CLAUSE_END.split(sentence):
        clauses.append(clause)
        if len(" ".join(clauses).split()) >= _SHORTEST_WORDS:
            found.append(" ".join(clauses))
            clauses = []
    # What is left is too short, and belongs to the phrase before.
    return [*found[:-1], " ".join([*found[-1:], *clauses])]


class Corpus:
    """Texts sized by a tokenizer. It counts the phrases once, which takes a few milliseconds."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        # As they stand within a text: after a space.
        self._phrases = [f" {phrase}" for phrase in phrases()]
        self._tokens = np.array([tokenizer.count(phrase) for phrase in self._phrases])
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
        """Phrases whose counts add up to `tokens`, the last of them cut."""
        count = int(tokens / self._mean * _SPARE) + 8
        while True:
            chosen = (words(seed, count) % np.uint64(len(self._phrases))).astype(np.int64)
            ends = np.cumsum(self._tokens[chosen])
            if ends[-1] >= tokens:
                break
            count *= 2
        last = int(np.searchsorted(ends, tokens))
        left = tokens - (int(ends[last - 1]) if last else 0)
        parts = [self._phrases[number] for number in chosen[:last].tolist()]
        parts.append(self.tokenizer.cut(self._phrases[chosen[last]], left))
        return "".join(parts).removeprefix(" ")


@lru_cache(maxsize=4)
def corpus_of(tokenizer: Tokenizer) -> Corpus:
    """The corpus for a tokenizer, made once in a process."""
    return Corpus(tokenizer)
