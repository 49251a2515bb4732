"""Texts of the lengths of a trace. Equal blocks of the trace become equal texts, so that prefixes are shared again."""

from collections.abc import Callable
from functools import lru_cache

from shared.workloads.formats.trace_files import BLOCK_TOKENS
from shared.workloads.rows import TraceRow

# (tokens, key) -> text: always the same for the same arguments, and different for different keys. With fewer tokens it
# is the beginning of the same text.
MakeText = Callable[[int, str], str]

# Blocks that are kept: a popular prefix is asked for again and again. About 2 kB each.
BLOCKS_KEPT = 4_096


class TraceTexts:
    """The prompt of each request of a trace."""

    def __init__(self, text: MakeText, seed: int) -> None:
        """`seed`: another one gives other texts for the whole trace."""
        self._seed = seed
        self._text = text
        self._block = lru_cache(BLOCKS_KEPT)(lambda block: text(BLOCK_TOKENS, _key(seed, block)))

    def prompt(self, row: TraceRow, unique: str) -> str:
        """The texts of its blocks, then a text of its own for the tokens that no block stands for.

        `unique`: tells this request from all others.
        """
        parts, left = [], row.input_tokens
        for block in row.hash_ids:
            size = min(left, BLOCK_TOKENS)
            parts.append(self._block(block) if size == BLOCK_TOKENS else self._text(size, _key(self._seed, block)))
            left -= size
        if left:
            parts.append(self._text(left, f"{self._seed} request {unique}"))
        return " ".join(parts)


def _key(seed: int, block: int) -> str:
    return f"{seed} block {block}"
