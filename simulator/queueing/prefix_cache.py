"""A prefix cache as inference servers have one: blocks of tokens, each found by all text up to its end."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from hashlib import blake2b

BLOCK_TOKENS = 16
# One token is four bytes, see `simulator.text`.
_BLOCK_BYTES = 4 * BLOCK_TOKENS


def blocks_of(text: str) -> tuple[bytes, ...]:
    """A key for each whole block of the text, which depends on everything before its end."""
    data, running, keys = text.encode("utf-8", "replace"), blake2b(digest_size=16), list[bytes]()
    for start in range(0, len(data) - _BLOCK_BYTES + 1, _BLOCK_BYTES):
        running.update(data[start : start + _BLOCK_BYTES])
        keys.append(running.digest())
    return tuple(keys)


class PrefixCache:
    """Holds up to `tokens` input tokens; the blocks that were not used for longest leave first."""

    def __init__(self, tokens: int) -> None:
        self._room = tokens // BLOCK_TOKENS
        self._blocks: OrderedDict[bytes, None] = OrderedDict()
        # What is computed at the moment: from when on it can be read, and its blocks.
        self._coming: deque[tuple[int, Sequence[bytes]]] = deque()

    def read(self, blocks: Sequence[bytes], at_ns: int) -> int:
        """How many tokens at the beginning need not be computed at this time."""
        while self._coming and self._coming[0][0] <= at_ns:
            self._store(self._coming.popleft()[1])
        found = 0
        for block in blocks:
            if block not in self._blocks:
                break
            found += 1
        # The last block first: the beginning, which most prompts share, is to leave last.
        for block in reversed(blocks[:found]):
            self._blocks.move_to_end(block)
        return found * BLOCK_TOKENS

    def compute(self, blocks: Sequence[bytes], ready_ns: int) -> None:
        """The blocks of a prompt, which can be read from `ready_ns` on."""
        self._coming.append((ready_ns, blocks))
        if len(self._coming) > 1 and ready_ns < self._coming[-2][0]:
            self._coming = deque(sorted(self._coming, key=lambda item: item[0]))

    def _store(self, blocks: Sequence[bytes]) -> None:
        for block in reversed(blocks[: self._room]):
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self._room:
            self._blocks.popitem(last=False)
