"""Requests that meet a provider's prompt cache on purpose, or never. Put around any other workload.

Prompt caches work from the first token on. So what counts is the very start of a request: the system text if there is
one, otherwise the first message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from shared.benchmark.workload.workload import WorkItem, Workload, Wrapped
from shared.benchmark.workload.workload_spec import SharedPrefix
from shared.workloads.corpus import Corpus
from shared.workloads.seeded import key_of, uniform

_PREFIXES_KEPT = 64


def marker(seed: int, place: int, turn: int = 0) -> str:
    """A short text that no other request of the run begins with."""
    return f"{key_of(seed, 'marker', place, turn).hex()[:16]}\n\n"


class CacheBusted(Wrapped):
    """Each request begins with a marker of its own. Another seed gives other markers."""

    def __init__(self, workload: Workload, seed: int) -> None:
        super().__init__(workload)
        self._seed = seed

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        item = self._workload.item(place, turn, answers)
        return None if item is None else at_the_start(item, marker(self._seed, place, turn))

    def equal_prompts(self) -> Mapping[int, int]:
        return {}


class PrefixShared(Wrapped):
    """Some or all requests begin with one of a few texts. All turns of a place begin with the same one."""

    def __init__(self, workload: Workload, shared: SharedPrefix, seed: int, corpus: Corpus) -> None:
        super().__init__(workload)
        self._shared = shared
        self._seed = seed
        self._text = lru_cache(maxsize=_PREFIXES_KEPT)(partial(_make_text, corpus, shared.tokens, seed))

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        item = self._workload.item(place, turn, answers)
        number = self.prefix_of(place)
        return item if item is None or number is None else at_the_start(item, self._text(number))

    def estimated_tokens(self, place: int) -> int | None:
        """Unknown: how much a prefix adds depends on where the texts meet."""
        return None

    def prefix_of(self, place: int) -> int | None:
        """Which prefix this place has, from 0. None: none."""
        if uniform(self._seed, "has prefix", place) >= self._shared.share:
            return None
        return int(uniform(self._seed, "prefix", place) * self._shared.prefixes)


def _make_text(corpus: Corpus, tokens: int, seed: int, number: int) -> str:
    return corpus.text(tokens, f"{seed} prefix {number}") + "\n\n"


def at_the_start(item: WorkItem, text: str) -> WorkItem:
    """The request with this text before everything else in it."""
    if item.system is not None:
        return replace(item, system=text + item.system)
    first, *rest = item.messages
    return replace(item, messages=[{**first, "content": text + first["content"]}, *rest])
