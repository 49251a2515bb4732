"""Which settings two runs must share to be compared, from stored specs. Comparisons and histories both go by it."""

from collections.abc import Mapping
from typing import Any

# They name a stage, or decide how many requests there are and which random draws, not how much is asked at a time.
_NO_LOAD = ("name", "seed", "requests", "duration_s", "grace_s")
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
    return {name: _pruned(value) for name, value in load.items() if name not in _NO_LOAD} | {"warmup": warmup}


def is_deleted(path: str) -> bool:
    """Whether retention deletes this setting. `path`: as `parameters.stop[0]`. A run without it may have had any."""
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in _DELETED)


def _pruned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _pruned(item) for name, item in value.items() if name not in _NO_LOAD}
    return [_pruned(item) for item in value] if isinstance(value, list) else value
