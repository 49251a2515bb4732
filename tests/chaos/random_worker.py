"""A worker that runs a seeded random workload: `arq tests.chaos.random_worker.WorkerSettings`."""

import functools
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.benchmark.load.plan import PlannedLoad
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import PromptsInTurn, WorkItem
from shared.workloads.loads import load_of
from worker import main

SEED = 20250115


class RandomLengths(PromptsInTurn):
    """Each request asks for an answer of a length of its own, in a random order that the seed fixes."""

    def __init__(self, spec: BenchmarkSpec) -> None:
        super().__init__(spec)
        self._lengths = lengths(self.length)

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        item = super().item(place, turn, answers)
        return None if item is None else replace(item, model=model_of(self._lengths[place]))


def lengths(count: int) -> list[int]:
    """The random sequence: each length from 2 on once."""
    drawn = list(range(2, count + 2))
    random.Random(SEED).shuffle(drawn)
    return drawn


def model_of(length: int) -> str:
    """The simulator's model that answers with so many tokens."""
    return f"sim-ttft150-gap10-n{length}"


def random_load(spec: BenchmarkSpec, *_args: Any, **_options: Any) -> PlannedLoad:
    return replace(load_of(spec), workload=RandomLengths(spec))


# arq reads the class's own attributes and none that it inherits.
_SETTINGS = {name: value for name, value in vars(main.WorkerSettings).items() if not name.startswith("__")}
WorkerSettings = type(
    "WorkerSettings", (), {**_SETTINGS, "on_startup": staticmethod(functools.partial(main.start, load_of=random_load))}
)
