"""Which settings of the compared benchmarks differ, and which of them make a verdict unfair. `comparison.py` asks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from shared.benchmark.comparable import is_deleted, load_of
from shared.comparison.compared import Compared

Area = Literal["target", "load", "workload", "prompts", "parameters", "grade", "other"]
# Settings that two benchmarks must share, or their numbers do not mean the same.
WITHHOLDING: tuple[Area, ...] = ("load", "workload", "prompts", "parameters", "grade")
# Longer texts are cut. Longer lists and objects are cut as texts of JSON.
_MOST_CHARS = 200
# They make texts as long for one model as for another.
_NO_WORKLOAD = {"seed", "tokenizer", "token_factor"}


@dataclass(frozen=True, slots=True)
class Differing:
    """A setting with its value of each benchmark, in their order. None: it is not set, or not known."""

    field: str
    area: Area
    values: tuple[Any, ...]

    @property
    def withholds(self) -> bool:
        return self.area in WITHHOLDING


def settings_of(run: Compared) -> dict[str, tuple[Area, Any]]:
    """The settings of a benchmark by name, each with what it belongs to."""
    spec = run.spec
    written = spec.model_dump(mode="json", exclude_none=True)
    found: dict[str, tuple[Area, Any]] = {
        "model": ("target", run.model),
        "provider": ("target", run.provider),
        "endpoint": ("target", (run.endpoint or {}).get("base_url")),
        "grade": ("grade", run.grade),
        "prompts": ("prompts", run.prompt_set),
        "timeouts": ("other", spec.timeouts.model_dump(mode="json", exclude_none=True)),
        # Whether the prompts of the warm-up leave caches warm for those that are measured.
        "warmup_prefix": ("load", spec.warmup_prefix),
        "transport": ("other", run.measurement.get("transport")),
        "observe": ("other", bool(spec.observe)),
    }
    found |= {f"load.{name}": ("load", value) for name, value in load_of(written).items()}
    found |= {f"workload.{name}": ("workload", value) for name, value in _workload(run).items()}
    found |= {f"parameters.{name}": ("parameters", value) for name, value in written["parameters"].items()}
    found |= {f"extra_body.{name}": ("parameters", value) for name, value in spec.extra_body.items()}
    return found


def differing(runs: Sequence[Compared]) -> list[Differing]:
    """What is not the same in all of them: first what withholds verdicts, then the rest, each in a fixed order.

    What retention deleted from one of them is not compared.
    """
    of_runs = [settings_of(run) for run in runs]
    have_texts = all(run.has_texts for run in runs)
    names = dict.fromkeys(name for settings in of_runs for name in settings if have_texts or not is_deleted(name))
    found = []
    for name in names:
        area = next(settings[name][0] for settings in of_runs if name in settings)
        values = tuple(settings[name][1] if name in settings else None for settings in of_runs)
        # Unknown prompts are not known to be the same.
        if any(value != values[0] for value in values) or (name == "prompts" and None in values):
            found.append(Differing(name, area, tuple(map(_short, values))))
    if any(item.field == "prompts" for item in found) and _differ_by_draws(runs):
        # Generated texts of the same kind and length, drawn with another seed.
        found = [item if item.field != "prompts" else Differing("prompts", "other", item.values) for item in found]
    return sorted(found, key=lambda item: not item.withholds)


def reasons(first: Compared, second: Compared) -> list[str]:
    """Why there is no verdict about these two, in words. Empty: there may be one."""
    return [_reason(item) for item in differing([first, second]) if item.withholds]


def _reason(item: Differing) -> str:
    if item.field == "prompts":
        known = all(value is not None for value in item.values)
        return "they sent different prompts" if known else "nobody knows whether they sent the same prompts"
    return f"{item.field} differs: {_written(item.values[0])} and {_written(item.values[1])}"


def _written(value: Any) -> str:
    return "not set" if value is None else f"{value}"


def _workload(run: Compared) -> dict[str, Any]:
    workload = run.spec.workload
    if workload is None:
        return {"source": "prompts", "order": "in_turn", "cache": "none", "ignore_eos": False}
    written: Mapping[str, Any] = workload.model_dump(mode="json", exclude_none=True)
    return {name: value for name, value in written.items() if name not in _NO_WORKLOAD}


def _differ_by_draws(runs: Sequence[Compared]) -> bool:
    """Whether all of them draw their texts, in the same way."""
    workloads = [run.spec.workload for run in runs]
    if not all(workload is not None and workload.source == "generated" for workload in workloads):
        return False
    kinds = [_workload(run) for run in runs]
    return all(kind == kinds[0] for kind in kinds) and len({run.spec.system for run in runs}) == 1


def _short(value: Any) -> Any:
    if isinstance(value, list | dict):
        text = orjson.dumps(value).decode()
        return value if len(text) <= _MOST_CHARS else _cut(text)
    return _cut(value) if isinstance(value, str) else value


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else text[: _MOST_CHARS - 1] + "…"


def fields(items: Sequence[Differing]) -> Iterator[dict[str, Any]]:
    """As JSON."""
    for item in items:
        yield {"field": item.field, "area": item.area, "values": list(item.values), "withholds": item.withholds}
