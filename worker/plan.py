"""What a claimed benchmark has to send: its prompts as requests, without those that have a result already."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shared.spec import BenchmarkSpec
from worker.engine.adapters.base import Adapter
from worker.engine.engine import Plan
from worker.engine.measurer import PlannedRequest


@dataclass(frozen=True, slots=True)
class Slot:
    """Which request of a benchmark: `repetition` counts 0, 1, 2 … for measured ones, -1, -2 … for warm-up."""

    prompt_index: int
    repetition: int

    @property
    def warmup(self) -> bool:
        return self.repetition < 0


def slots(spec: BenchmarkSpec) -> Iterator[Slot]:
    """Every planned request in the order of sending: warm-up, then round after round over the prompts."""
    count = len(spec.prompts)
    for number in range(spec.warmup):
        yield Slot(number % count, -1 - number // count)
    for repetition in range(spec.repetitions):
        for index in range(count):
            yield Slot(index, repetition)


def make_plan(spec: BenchmarkSpec, adapter: Adapter, is_recorded: Callable[[int, int], bool]) -> Plan:
    """The requests that have no result yet."""
    bodies = [_body(spec, adapter, index) for index in range(len(spec.prompts))]
    limits = [spec.effective_parameters(prompt).max_tokens for prompt in spec.prompts]
    requests = [
        PlannedRequest(
            slot.prompt_index, slot.repetition, slot.warmup, bodies[slot.prompt_index], limits[slot.prompt_index]
        )
        for slot in slots(spec)
        if not is_recorded(slot.prompt_index, slot.repetition)
    ]
    measured = [request for request in requests if not request.warmup]
    if spec.request_rate is not None:
        offsets = schedule_ns(spec.request_rate, spec.arrival, spec.arrival_seed, len(measured))
        measured = [replace(request, offset_ns=at) for request, at in zip(measured, offsets, strict=True)]
    return Plan([request for request in requests if request.warmup], measured, spec.concurrency)


def schedule_ns(rate: float, arrival: str, seed: int, count: int) -> list[int]:
    """When each of `count` requests is due, in ns after the first; `rate` per second."""
    gaps = np.full(count, 1 / rate)
    if arrival == "poisson":
        gaps = np.random.default_rng(seed).exponential(1 / rate, count)
    return [int(at * 1e9) for at in np.cumsum(gaps) - gaps[:1].sum()]


def _body(spec: BenchmarkSpec, adapter: Adapter, index: int) -> Mapping[str, Any]:
    prompt = spec.prompts[index]
    messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
    system = prompt.system if prompt.system is not None else spec.system
    return adapter.body(spec.model, messages, system, spec.effective_parameters(prompt))
