"""Which settings two runs must share to be compared, from stored specs. Comparisons and histories both go by it."""

from collections.abc import Mapping, Sequence
from typing import Any

# They name a stage, or decide how many requests there are and which random draws, not how much is asked at a time.
_NO_LOAD = ("name", "seed", "requests", "duration_s", "grace_s")
# Of several stages, the share that each has in the whole is a part of the load.
_SHARES = {"requests": "share_of_requests", "duration_s": "share_of_time"}
# Retention deletes them, or parts of them.
_DELETED = ("extra_body", "workload", "parameters.stop")


def load_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The load in one form, however the benchmark was written. `warmup`: whether there was one, which warms caches."""
    load: dict[str, Any] = dict(spec.get("load") or {})
    if load:
        warmup = bool(load.get("warmup"))
    else:
        warmup = bool(spec.get("warmup"))
        if spec.get("request_rate") is None:
            load = {"concurrency": spec.get("concurrency")}
        else:
            load = {"request_rate": spec["request_rate"], "arrival": spec.get("arrival")}
            load["max_concurrency"] = spec.get("concurrency")
    if load.get("request_rate") is not None:
        load["arrival"] = load.get("arrival") or "constant"
    pruned = {**_pruned(load), "warmup": warmup}
    return pruned | ({"stages": _stages(load["stages"])} if load.get("stages") else {})


def is_deleted(path: str) -> bool:
    """Whether retention deletes this setting. `path`: as `parameters.stop[0]`. A run without it may have had any."""
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in _DELETED)


def _stages(stages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Several with the share of each, if all end by their requests or all by their time; else with their lengths."""
    if len(stages) == 1:
        return [_pruned(stages[0])]
    lengths = [{name: stage[name] for name in _SHARES if stage.get(name) is not None} for stage in stages]
    kinds = {tuple(length) for length in lengths}
    if len(kinds) == 1 and len(kind := kinds.pop()) == 1:
        (name,) = kind
        total = sum(length[name] for length in lengths)
        lengths = [{_SHARES[name]: round(length[name] / total, 6)} for length in lengths]
    return [_pruned(stage) | length for stage, length in zip(stages, lengths, strict=True)]


def _pruned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _pruned(item) for name, item in value.items() if name not in _NO_LOAD}
    return [_pruned(item) for item in value] if isinstance(value, list) else value
