"""The request of the API that a form's values stand for. `prefill.py` goes the other way."""

from collections.abc import Sequence
from typing import Any

from api.pages.forms.draft import Draft
from api.pages.forms.json_text import Unreadable, json_value
from api.pages.forms.metadata import metadata_of
from api.pages.forms.prompts import prompts_of
from api.pages.forms.values import Values
from shared.benchmark.derived_name import PROMPTS, derived_name, source_of

# A request without a model has no name that could be made of it. The error about the model is enough.
UNNAMED = "unnamed"

NUMBERS = {
    **{name: f"parameters.{name}" for name in ("temperature", "top_p")},
    **{f"slo_{name}": f"slos.{name}" for name in ("ttft_ms", "tpot_ms", "latency_ms", "attainment")},
    **{name: f"timeouts.{name}" for name in ("connect_s", "ttft_s", "idle_s", "total_s")},
    "max_duration_s": "max_duration_s",
    "budget_usd": "budget_usd",
}
TEXTS = {
    "model": "model",
    "provider": "provider",
    "name": "name",
    "slo_preset": "slos.preset",
    "webhook_url": "webhook_url",
}
# How it runs beside others: the choice of the form, and the field that it sets.
BESIDE_OTHERS = {"exclusive": "exclusive", "share": "share_endpoint"}
INTEGERS = {"repetitions": "repetitions", "max_tokens": "parameters.max_tokens"}


def draft_of(values: Values, earlier: Sequence[Any] = ()) -> Draft:
    """The request, not validated. What could not be read is in `wrong` of the draft.

    `earlier`: prompts of another benchmark, which are sent if none were typed.
    """
    draft = Draft(values, earlier_prompts=earlier)
    _read_advanced(draft)
    for name, path in TEXTS.items():
        draft.text(name, path)
    draft.long_text("system", "system")
    _workload(draft)
    _load(draft)
    for name, path in INTEGERS.items():
        draft.integer(name, path)
    for name, path in NUMBERS.items():
        draft.number(name, path)
    for choice, field in BESIDE_OTHERS.items():
        draft.put("beside_others", field, True if draft.get("beside_others") == choice else None)
    draft.put("allow_unpriced", "allow_unpriced", True if draft.get("allow_unpriced") else None)
    try:
        draft.put("metadata", "metadata", metadata_of(draft.values.get("metadata", "")) or None)
    except Unreadable as exc:
        draft.wrong["metadata"] = str(exc)
    draft.add_advanced()
    if "name" not in draft.document:
        draft.document = {"name": _name(draft), **draft.document}
    return draft


def _name(draft: Draft) -> str:
    request = draft.document
    has_texts = "prompts" in request or source_of(request) != PROMPTS
    return derived_name(request) if "model" in request and has_texts else UNNAMED


def _read_advanced(draft: Draft) -> None:
    typed = draft.get("advanced")
    if not typed:
        return
    try:
        found = json_value(typed)
    except Unreadable as exc:
        draft.wrong["advanced"] = str(exc)
        return
    if not isinstance(found, dict):
        draft.wrong["advanced"] = "must be a JSON object"
    elif "webhook_secret" in found:
        # It would stand in the page, and in what the page shows to copy.
        draft.wrong["advanced"] = "leave webhook_secret out: the server makes one and shows it after the start"
    else:
        draft.advanced = found


def _workload(draft: Draft) -> None:
    source = draft.get("source") or "prompts"
    draft.origins["workload.source"] = "source"
    if source == "json":
        return
    if source == "prompts":
        _prompts(draft)
    else:
        draft.put("source", "workload.source", source)
    if source == "generated":
        draft.required("input_tokens", "workload.input_tokens", "say how long the texts are")
        draft.integer("input_tokens", "workload.input_tokens")
    elif source == "dataset":
        draft.required("dataset", "workload.dataset", "choose one")
        draft.integer("dataset", "workload.dataset.id")
    if source != "generated":
        # What is the default is left out: prompts alone need no workload.
        draft.put("order", "workload.order", _other_than("in_turn", draft.get("order")))
    if source != "prompts":
        draft.integer("output_tokens", "workload.output_tokens")
    draft.put("cache", "workload.cache", _other_than("none", draft.get("cache")))
    draft.integer("seed", "workload.seed")


def _other_than(default: str, value: str) -> str | None:
    return None if value in ("", default) else value


def _prompts(draft: Draft) -> None:
    try:
        prompts = prompts_of(draft.values.get("prompts", ""), draft.get("prompts_format") or "lines")
    except Unreadable as exc:
        draft.wrong["prompts"] = str(exc)
        prompts = []
    draft.put("prompts", "prompts", prompts or list(draft.earlier_prompts) or None)


def _load(draft: Draft) -> None:
    kind = draft.get("load") or "closed"
    if kind == "json":
        return
    if kind == "sweep":
        _sweep(draft)
    elif kind == "search":
        _search(draft)
    else:
        _one_load(draft, is_open=kind == "open")


def _one_load(draft: Draft, *, is_open: bool) -> None:
    """In the short form where that is enough, because every version of the service and every reader knows it."""
    whole = bool(draft.get("requests") or draft.get("duration_s") or "load" in draft.advanced)
    at = "load." if whole else ""
    if is_open:
        draft.required("request_rate", f"{at}request_rate", "say how many")
        draft.number("request_rate", f"{at}request_rate")
        draft.put("arrival", f"{at}arrival", _other_than("constant", draft.get("arrival")))
        draft.integer("max_concurrency", "load.max_concurrency" if whole else "concurrency")
    else:
        draft.integer("concurrency", f"{at}concurrency")
    draft.integer("warmup", "load.warmup.requests" if whole else "warmup")
    if whole:
        draft.integer("requests", "load.requests")
        draft.number("duration_s", "load.duration_s")


def _sweep(draft: Draft) -> None:
    over = draft.get("sweep_over") or "concurrency"
    draft.put("sweep_to", "load.sweep", {})
    if over == "request_rate":
        draft.required("sweep_to", "load.sweep.request_rate", "say up to which rate")
    for name in ("from", "to", "factor"):
        draft.number(f"sweep_{name}", f"load.sweep.{over}.{name}")
    draft.number("sweep_duration_s", "load.sweep.duration_s")


def _search(draft: Draft) -> None:
    draft.put("search_max", "load.search", {})
    for name in ("min", "max"):
        draft.integer(f"search_{name}", f"load.search.{name}")
    for name in ("probe_s", "sustain_s"):
        draft.number(f"search_{name}", f"load.search.{name}")
