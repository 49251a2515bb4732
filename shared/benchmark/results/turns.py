"""TTFT and latency by turn of a conversation. Part of an aggregate; empty if no request is a later turn."""

from collections.abc import Mapping
from typing import Any

from shared.benchmark.results.observed import Observed
from shared.numbers.digest import Digest

# Turns from this one on are counted together.
LATER = 3
BY_TURN = ("ttft_ms", "latency_ms")

Digests = dict[str, Digest]


class Turns:
    """Digests of succeeded requests by turn, from 0. They are kept only from the first later turn on.

    Until then all requests are of turn 0, so the digests of all requests are those of turn 0. A digest depends only on
    its values, so it does not matter when the later turn comes.
    """

    def __init__(self) -> None:
        self.digests: dict[int, Digests] = {}

    def add(self, result: Observed, so_far: Mapping[str, Digest]) -> None:
        """Adds a succeeded result. `so_far`: the digests of all succeeded results before it."""
        turn = min(result.id.turn, LATER)
        if turn and not self.digests:
            self._begin(so_far)
        if self.digests:
            self._add_to(turn, result)

    def merge(self, other: "Turns", ours: Mapping[str, Digest], theirs: Mapping[str, Digest]) -> None:
        """Adds the other part. `ours`, `theirs`: the digests of all succeeded results of each part."""
        if not self.digests and not other.digests:
            return
        if not self.digests:
            self._begin(ours)
        parts: Mapping[int, Mapping[str, Digest]] = other.digests or {0: theirs}
        for turn, digests in parts.items():
            mine = self.digests.setdefault(turn, _empty())
            for name in BY_TURN:
                mine[name].merge(digests[name])

    def document(self) -> list[tuple[int, dict[str, Any]]]:
        """As JSON; `load` reads it."""
        return [
            (turn, {name: digest.document() for name, digest in digests.items()})
            for turn, digests in sorted(self.digests.items())
        ]

    @classmethod
    def load(cls, document: list[tuple[int, dict[str, Any]]]) -> "Turns":
        turns = cls()
        turns.digests = {turn: {name: Digest.load(digests[name]) for name in BY_TURN} for turn, digests in document}
        return turns

    def _begin(self, so_far: Mapping[str, Digest]) -> None:
        first = self.digests[0] = _empty()
        for name in BY_TURN:
            first[name].merge(so_far[name])

    def _add_to(self, turn: int, result: Observed) -> None:
        digests = self.digests.setdefault(turn, _empty())
        for name in BY_TURN:
            if (value := result.metrics[name]) is not None:
                digests[name].add(value, result.prompt_index)


def _empty() -> Digests:
    return {name: Digest() for name in BY_TURN}
