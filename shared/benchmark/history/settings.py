"""The settings of a run that its numbers depend on, beside model and texts, and how those of two runs differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Fields of a stored spec. Repetitions only say how many requests there are, and texts are the prompt set's.
_FIELDS = ("warmup_prefix", "parameters", "extra_body")
# They name a stage, or decide how many requests there are and which random draws, not how much is asked at a time.
_NO_LOAD = ("name", "seed", "requests", "duration_s", "grace_s")
# Fields of the workload that are no part of the prompt set.
_OF_WORKLOAD = ("output_tokens", "ignore_eos")
_OF_DATASET = ("think_s",)
_OF_TRACE = ("spread", "spread_step_s", "time_scale", "max_gap_s")
# What a field means that is left out, in stored specs of any version.
_DEFAULTS: dict[str, Any] = {"warmup_prefix": True, "workload.ignore_eos": False, "load.warmup": False}
# Retention deletes them, or parts of them.
_DELETED = ("extra_body", "workload", "parameters.stop")


@dataclass(frozen=True, slots=True)
class Settings:
    """`values` by path, as `load.duration_s`. `has_texts`: False once retention has deleted a part of them."""

    values: Mapping[str, Any]
    has_texts: bool = True

    @property
    def kept(self) -> frozenset[tuple[str, Any]]:
        """What retention keeps. Settings with another one differ; those with the same one may."""
        return frozenset((path, value) for path, value in self.values.items() if not _is_deleted(path))


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting of a run that differs from the other's. None: it has none."""

    field: str
    value: Any
    other: Any


def settings_of(
    spec: Mapping[str, Any], endpoint: Mapping[str, Any] | None = None, *, has_texts: bool = True
) -> Settings:
    """Of a stored spec. `endpoint`: the document of its identity, if runs of the same endpoint are compared."""
    chosen: dict[str, Any] = {name: spec.get(name) for name in _FIELDS}
    chosen["load"] = _load(spec)
    workload = spec.get("workload") or {}
    chosen["workload"] = {name: workload.get(name) for name in _OF_WORKLOAD} | {
        part: {name: (workload.get(part) or {}).get(name) for name in names}
        for part, names in (("dataset", _OF_DATASET), ("trace", _OF_TRACE))
    }
    if endpoint is not None:
        chosen["endpoint"] = {name: endpoint.get(name) for name in ("base_url", "fingerprint")}
    found: dict[str, Any] = {}
    _collect("", chosen, found)
    return Settings(found, has_texts)


def differences(run: Settings, other: Settings) -> list[Difference]:
    """By field. What retention deleted from one of them is not compared."""
    if run.values == other.values:
        return []
    whole = run.has_texts and other.has_texts
    return [
        Difference(path, run.values.get(path), other.values.get(path))
        for path in sorted({*run.values, *other.values})
        if run.values.get(path) != other.values.get(path)
        if whole or not _is_deleted(path)
    ]


def _is_deleted(path: str) -> bool:
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in _DELETED)


def _load(spec: Mapping[str, Any]) -> dict[str, Any]:
    """In one form, however the benchmark was written. `warmup`: whether there was one, so that caches were warm."""
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


def _pruned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _pruned(item) for name, item in value.items() if name not in _NO_LOAD}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _collect(path: str, value: Any, found: dict[str, Any]) -> None:
    """Adds the leaves that say something. A leaderboard does this for a thousand runs, so no generators and ABCs."""
    if isinstance(value, dict):
        for name, item in value.items():
            if item is not None:
                _collect(f"{path}.{name}" if path else name, item, found)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _collect(f"{path}[{number}]", item, found)
    elif value is not None and value != _DEFAULTS.get(path):
        found[path] = value
