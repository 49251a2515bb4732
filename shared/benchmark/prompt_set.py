"""The prompt set of a benchmark: a hash of all that decides which texts it sends. Stored when it is submitted.

Benchmarks with the same prompt set can be compared over time and between models. Load and parameters are no part of it.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson

from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload_spec import WorkloadSpec

# Part of each hash. Another number makes all prompt sets new ones.
_VERSION = 1


def prompt_set(spec: BenchmarkSpec) -> str:
    """SHA-256 in hexadecimal digits. `spec`: as it is stored, with the seed and the dataset's hash."""
    digest = hashlib.sha256()
    for part in _parts(spec):
        digest.update(orjson.dumps(part, option=orjson.OPT_SORT_KEYS) + b"\n")
    return digest.hexdigest()


def _parts(spec: BenchmarkSpec) -> Iterator[Any]:
    workload = spec.workload or WorkloadSpec()
    yield {"version": _VERSION, "workload": _of_workload(workload)}
    if workload.source != "prompts":
        yield spec.system
    for prompt in spec.prompts:
        yield [prompt.system or spec.system, *([message.role, message.content] for message in prompt.messages)]


def _of_workload(workload: WorkloadSpec) -> dict[str, Any]:
    """Its fields that decide texts or their order. Those that only say when, or how long answers are, are left out."""
    found: dict[str, Any] = {"source": workload.source}
    if workload.order != "in_turn":
        found["order"] = workload.order
    if workload.weights:
        found["weights"] = workload.weights
    if workload.kinds is not None:
        found["kinds"] = sorted(set(workload.kinds))
    if workload.input_tokens is not None:
        found |= {
            "input_tokens": workload.input_tokens.model_dump(mode="json", exclude_none=True),
            "token_factor": workload.token_factor or 1,
        }
    if (stored := workload.stored) is not None:
        # The same file has another id on another server.
        found["file"] = stored.sha256 or stored.id
    if workload.dataset is not None:
        found["max_turns"] = workload.dataset.max_turns
    if workload.trace is not None and workload.trace.window is not None:
        found["window"] = workload.trace.window.model_dump(mode="json")
    if workload.cache.word != "none":
        found["cache"] = workload.cache.model_dump(mode="json")
    if _draws_texts(workload):
        found |= {"seed": workload.seed or 0, "tokenizer": workload.tokenizer}
    return found


def _draws_texts(workload: WorkloadSpec) -> bool:
    """Whether the seed decides texts or their order.

    The markers of `cache: bust` do not count: they are to be different in each run.
    """
    return (
        workload.source in ("generated", "trace")
        or workload.order != "in_turn"
        or workload.cache.shared_prefix is not None
    )
