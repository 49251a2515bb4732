"""Warm-up requests that start with a text of their own. Used by `worker.run.recovery`.

Prompt caches work from the first token on. So a warm-up request with a prefix of its own fills no cache for the
measured requests that have the same prompt.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.benchmark.request_id import RequestId
from shared.benchmark.workload import WorkItem, Workload


class UniqueWarmup(Workload):
    """A workload whose warm-up requests start with a text of their own: another one in each benchmark and place."""

    def __init__(self, workload: Workload, benchmark_id: int) -> None:
        self.warmup = workload.warmup
        self.has_turns = workload.has_turns
        self._workload = workload
        self._benchmark_id = benchmark_id

    @property
    def length(self) -> int | None:
        return self._workload.length

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        item = self._workload.item(place, turn, answers)
        if item is None or not item.warmup:
            return item
        prefix = _prefix(self._benchmark_id, place)
        first, *rest = item.messages
        messages: list[Mapping[str, str]] = [{**first, "content": f"{prefix}{first['content']}"}, *rest]
        # The system text comes before the messages.
        return replace(item, messages=messages, system=None if item.system is None else f"{prefix}{item.system}")

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return self._workload.id_of(prompt_index, repetition)

    def equal_prompts(self) -> Mapping[int, int]:
        return self._workload.equal_prompts()


def _prefix(benchmark_id: int, place: int) -> str:
    """The same text whenever this request is asked for: another worker may send it again."""
    return hashlib.sha256(f"warm-up {benchmark_id} {place}".encode()).hexdigest()[:16] + "\n\n"
