"""What a claimed benchmark has to send: its prompts as requests, without those that have a result already."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np

from shared.benchmark.spec import BenchmarkSpec
from shared.db.segments import Slot
from shared.protocols.base import Adapter
from worker.engine.engine import Plan
from worker.engine.measurer import PlannedRequest


def slots(spec: BenchmarkSpec) -> Iterator[Slot]:
    """Every planned request in the order of sending: warm-up, then round after round over the prompts.

    Repetitions count 0, 1, 2 … for measured ones, -1, -2 … for warm-up.
    """
    count = len(spec.prompts)
    for number in range(spec.warmup):
        yield number % count, -1 - number // count
    for repetition in range(spec.repetitions):
        for index in range(count):
            yield index, repetition


def open_slots(spec: BenchmarkSpec, recorded: Set[Slot]) -> list[tuple[int, Slot]]:
    """The requests that have no result yet, each with its place in the order of sending."""
    return [(place, slot) for place, slot in enumerate(slots(spec)) if slot not in recorded]


def make_plan(spec: BenchmarkSpec, adapter: Adapter, wanted: Sequence[Slot]) -> Plan:
    """The requests for these slots."""
    bodies = [_body(spec, adapter, index) for index in range(len(spec.prompts))]
    limits = [spec.effective_parameters(prompt).max_tokens for prompt in spec.prompts]
    requests = [
        PlannedRequest(index, repetition, repetition < 0, bodies[index], limits[index]) for index, repetition in wanted
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
