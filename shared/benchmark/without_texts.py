"""Stored documents of a benchmark without the texts that callers sent and models answered. For retention.

What says which thing was measured stays: model, endpoint, service tier and the words with which servers name things.
"""

from collections.abc import Mapping
from typing import Any

# Replaces the message of an error, since providers quote requests in them.
DELETED = "(deleted by TEXT_RETENTION_DAYS)"
# Everything else in a spec is or may hold a caller's text.
_KEPT = (
    "model",
    "provider",
    "repetitions",
    "warmup",
    "warmup_prefix",
    "concurrency",
    "request_rate",
    "arrival",
    "arrival_seed",
    "observe",
    "on_interrupt",
    "max_duration_s",
    "exclusive",
    "share_endpoint",
    "budget_usd",
    "allow_unpriced",
    "timeouts",
    "slos",
)
_WORDS = ("service_tier", "reasoning_effort")


def name_without_text(benchmark_id: int) -> str:
    """The name of a benchmark whose own name was deleted."""
    return f"benchmark {benchmark_id}"


def spec_without_texts(spec: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The stored spec with this name."""
    kept = {field: spec[field] for field in _KEPT if field in spec}
    parameters = {
        field: value
        for field, value in spec.get("parameters", {}).items()
        if field in _WORDS or isinstance(value, int | float)
    }
    load = {"load": _unnamed(spec["load"])} if spec.get("load") else {}
    return {"name": name, **kept, **load, "parameters": parameters}


def _unnamed(load: Mapping[str, Any]) -> dict[str, Any]:
    """The load without the names of its stages."""
    stages = [stage_without_name(stage) for stage in load.get("stages") or ()]
    return {**load, "stages": stages} if stages else dict(load)


def stage_without_name(stage: Mapping[str, Any]) -> dict[str, Any]:
    """A stage, or the label of one, without the name that its caller gave it."""
    return {field: value for field, value in stage.items() if field != "name"}


def target_without_texts(target: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The stored target without the fields of the body, of which the caller may have sent some."""
    if target is None:
        return None
    asked_by_caller = "service_tier" in target.get("extra_body", {})
    return {
        **target,
        "body": {},
        "extra_body": {},
        "service_tier": None if asked_by_caller else target.get("service_tier"),
    }


def error_without_text(error: Mapping[str, Any]) -> dict[str, Any]:
    """The error of a request without its message."""
    return {**error, "message": DELETED}
