"""A name for a benchmark whose caller gave none, made from its request. Used by `llmbench run` and the web form."""

from collections.abc import Mapping
from typing import Any

NAME_LENGTH = 200
# The source of a workload that does not name one.
PROMPTS = "prompts"


def derived_name(spec: Mapping[str, Any]) -> str:
    """A name for people: `gpt-4o-mini, 20 prompts × 3, concurrency 4, 2 requests/s`. `spec` need not be valid."""
    if (source := source_of(spec)) == PROMPTS:
        prompts = spec.get("prompts")
        count = len(prompts) if isinstance(prompts, list) else 1
        name = f"{spec['model']}, {count} prompt{'s' if count != 1 else ''}"
    else:
        name = f"{spec['model']}, {source}"
    if spec.get("repetitions", 1) != 1:
        name += f" × {spec['repetitions']}"
    load = spec.get("load")
    load = load if isinstance(load, Mapping) else spec
    if "concurrency" in load:
        name += f", concurrency {load['concurrency']}"
    if isinstance(rate := load.get("request_rate"), int | float):
        name += f", {rate:g} requests/s"
    if isinstance(length_s := load.get("duration_s"), int | float):
        name += f", {length_s:g} s"
    if isinstance(stages := load.get("stages"), list):
        name += f", {len(stages)} stage{'s' if len(stages) != 1 else ''}"
    name += "".join(f", {kind}" for kind in ("sweep", "search") if load.get(kind) is not None)
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"


def source_of(spec: Mapping[str, Any]) -> str:
    """Where the requests come from, as far as the spec makes sense. The server checks it."""
    workload = spec.get("workload")
    return str(workload.get("source", PROMPTS)) if isinstance(workload, Mapping) else PROMPTS
