"""The form's values of a request that was sent before. What the form has no place for goes into its JSON box."""

import json
from collections.abc import Mapping
from typing import Any

from api.pages.forms import metadata, prompts
from api.pages.forms.request import BESIDE_OTHERS, INTEGERS, NUMBERS, TEXTS
from api.pages.forms.values import Values
from shared.benchmark.slo.slo_presets import PRESETS

# A load with one of these has more parts than the form.
_NOT_IN_THE_FORM = ("stages", "rate_series", "burst", "ramp")
_SOURCES = ("prompts", "generated", "builtin", "dataset")
_WORDS = {
    "arrival": ("constant", "poisson"),
    "workload.order": ("in_turn", "shuffled"),
    "workload.cache": ("none", "bust"),
}


def values_of(request: Mapping[str, Any]) -> Values:
    """`request`: as a caller writes it for `POST /benchmarks`. `draft_of` makes the same request of the values."""
    taking = _Taking(json.loads(json.dumps(request)))
    _prompts(taking)
    _workload(taking)
    _load(taking)
    _slos(taking)
    for name, path in TEXTS.items():
        taking.text(name, path)
    taking.text("system", "system", lines=True)
    for name, path in (INTEGERS | NUMBERS).items():
        taking.number(name, path)
    for choice, field in BESIDE_OTHERS.items():
        if taking.at(field) is True:
            taking.take(field)
            taking.values["beside_others"] = choice
    if taking.at("allow_unpriced") is True:
        taking.take("allow_unpriced")
        taking.values["allow_unpriced"] = "yes"
    if isinstance(taking.at("metadata"), dict):
        taking.values["metadata"] = metadata.text_of(taking.take("metadata"))
    if taking.rest:
        taking.values["advanced"] = json.dumps(taking.rest, ensure_ascii=False, indent=2)
    return {name: value for name, value in taking.values.items() if value}


class _Taking:
    """Takes fields out of the request and puts them into the form. What stays is in `rest`."""

    def __init__(self, rest: dict[str, Any]) -> None:
        self.rest = rest
        self.values: Values = {}

    def at(self, path: str) -> Any:
        value: Any = self.rest
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def take(self, path: str) -> Any:
        """The value, which is no longer in `rest`, nor are objects that have become empty by that."""
        *parents, last = path.split(".")
        places = [self.rest]
        for part in parents:
            places.append(places[-1][part])
        value = places[-1].pop(last)
        for place, name in zip(reversed(places[:-1]), reversed(parents), strict=True):
            if not place[name]:
                del place[name]
        return value

    def text(self, name: str, path: str, *, lines: bool = False) -> None:
        """Only a text that comes back from the form as it is."""
        value = self.at(path)
        if not isinstance(value, str) or "\r" in value or not (lines or (value == value.strip() and "\n" not in value)):
            return
        self.values[name] = self.take(path)

    def number(self, name: str, path: str) -> None:
        value = self.at(path)
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.values[name] = repr(self.take(path)).removesuffix(".0")

    def word(self, name: str, path: str, words: tuple[str, ...]) -> None:
        if self.at(path) in words:
            self.values[name] = self.take(path)


def _prompts(taking: _Taking) -> None:
    found = taking.at("prompts")
    if isinstance(found, list) and found:
        taking.values["prompts"], taking.values["prompts_format"] = prompts.text_of(taking.take("prompts"))


def _workload(taking: _Taking) -> None:
    source = taking.at("workload.source") or "prompts"
    if source not in _SOURCES:
        taking.values["source"] = "json"
        return
    taking.word("source", "workload.source", _SOURCES)
    taking.values["source"] = source
    if source == "generated":
        taking.number("input_tokens", "workload.input_tokens")
    elif source == "dataset":
        taking.number("dataset", "workload.dataset.id")
    for name in ("order", "cache"):
        taking.word(name, f"workload.{name}", _WORDS[f"workload.{name}"])
    if source != "prompts":
        taking.number("output_tokens", "workload.output_tokens")
    taking.number("seed", "workload.seed")


def _load(taking: _Taking) -> None:
    load = taking.at("load")
    if load is None:
        _short_form(taking)
    elif not isinstance(load, dict) or any(name in load for name in _NOT_IN_THE_FORM):
        taking.values["load"] = "json"
    elif "sweep" in load:
        _sweep(taking)
    elif "search" in load:
        taking.values["load"] = "search"
        for name in ("min", "max", "probe_s", "sustain_s"):
            taking.number(f"search_{name}", f"load.search.{name}")
        _drop_empty(taking, "search")
    elif "concurrency" in load or "request_rate" in load:
        _whole_load(taking)
    else:
        taking.values["load"] = "json"


def _short_form(taking: _Taking) -> None:
    is_open = taking.at("request_rate") is not None
    taking.values["load"] = "open" if is_open else "closed"
    taking.number("request_rate", "request_rate")
    taking.number("max_concurrency" if is_open else "concurrency", "concurrency")
    if is_open:
        taking.word("arrival", "arrival", _WORDS["arrival"])
    taking.number("warmup", "warmup")


def _whole_load(taking: _Taking) -> None:
    is_open = taking.at("load.request_rate") is not None
    taking.values["load"] = "open" if is_open else "closed"
    if is_open:
        taking.number("request_rate", "load.request_rate")
        taking.number("max_concurrency", "load.max_concurrency")
        taking.word("arrival", "load.arrival", _WORDS["arrival"])
    else:
        taking.number("concurrency", "load.concurrency")
    for name in ("requests", "duration_s"):
        taking.number(name, f"load.{name}")
    taking.number("warmup", "load.warmup.requests")


def _sweep(taking: _Taking) -> None:
    over = "request_rate" if taking.at("load.sweep.request_rate") is not None else "concurrency"
    taking.values |= {"load": "sweep", "sweep_over": over}
    if isinstance(taking.at(f"load.sweep.{over}"), dict):
        for name in ("from", "to", "factor"):
            taking.number(f"sweep_{name}", f"load.sweep.{over}.{name}")
    taking.number("sweep_duration_s", "load.sweep.duration_s")
    _drop_empty(taking, "sweep")


def _drop_empty(taking: _Taking, name: str) -> None:
    """The form says itself that there is a sweep or a search."""
    if taking.at(f"load.{name}") == {}:
        taking.take(f"load.{name}")


def _slos(taking: _Taking) -> None:
    slos = taking.at("slos")
    if isinstance(slos, str):
        taking.rest["slos"] = slos = {"preset": slos}
    if not isinstance(slos, dict):
        return
    preset = PRESETS.get(slos.get("preset", ""))
    if preset is not None:
        # What the preset says is stored with it.
        for name, value in {**preset.bounds, "attainment": preset.attainment}.items():
            if slos.get(name) == value:
                del slos[name]
