"""Warm-up requests that start with a text of their own. Used by `worker.run.recovery`.

Prompt caches work from the first token on. So a warm-up request with a prefix of its own fills no cache for the
measured requests that have the same prompt.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.benchmark.workload.workload import WorkItem, Workload, Wrapped


class UniqueWarmup(Wrapped):
    """A workload whose warm-up requests start with a text of their own: another one in each benchmark and place."""

    def __init__(self, workload: Workload, benchmark_id: int) -> None:
        super().__init__(workload)
        self._benchmark_id = benchmark_id

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        item = self._workload.item(place, turn, answers)
        if item is None or not item.warmup:
            return item
        prefix = _prefix(self._benchmark_id, place)
        first, *rest = item.messages
        messages: list[Mapping[str, str]] = [{**first, "content": f"{prefix}{first['content']}"}, *rest]
        # The system text comes before the messages.
        return replace(item, messages=messages, system=None if item.system is None else f"{prefix}{item.system}")


def _prefix(benchmark_id: int, place: int) -> str:
    """The same text whenever this request is asked for: another worker may send it again."""
    return hashlib.sha256(f"warm-up {benchmark_id} {place}".encode()).hexdigest()[:16] + "\n\n"
