"""Fingerprints of POSTs: two POSTs with the same `Idempotency-Key` must have the same one. Used by `api.submit`.

A fingerprint covers what the caller wrote and no defaults, so that a retry is recognised after a default has changed.
"""

import hashlib
from typing import Any

import orjson

from shared.benchmark.request import BenchmarkRequest, WebhookRequest

# The fields that the old fingerprint covers. Fields that came later are not part of it.
_OLD_PARAMETERS = {
    "max_tokens": True,
    "temperature": True,
    "top_p": True,
    "top_k": True,
    "stop": True,
    "seed": True,
    "frequency_penalty": True,
    "presence_penalty": True,
    "reasoning_effort": True,
    "thinking_budget_tokens": True,
}
_OLD_FIELDS: dict[str, Any] = {
    "name": True,
    "model": True,
    "provider": True,
    "system": True,
    "parameters": _OLD_PARAMETERS,
    "repetitions": True,
    "warmup": True,
    "warmup_prefix": True,
    "concurrency": True,
    "request_rate": True,
    "arrival": True,
    "arrival_seed": True,
    "on_interrupt": True,
    "max_duration_s": True,
    "timeouts": {"connect_s": True, "ttft_s": True, "idle_s": True, "total_s": True},
    "metadata": True,
    "prompts": {"__all__": {"system": True, "messages": True, "parameters": _OLD_PARAMETERS}},
}


def of_request(request: BenchmarkRequest) -> str:
    """The fingerprint of a `POST /benchmarks`. The order of its fields does not matter."""
    webhook = None if request.webhook is None else _document(request.webhook)
    return _digest({"spec": request.spec.model_dump(mode="json", exclude_unset=True), "webhook": webhook})


def of_rerun(benchmark_id: int) -> str:
    """The fingerprint of a `POST /benchmarks/{id}/rerun`, which has no body."""
    return _digest({"rerun_of": benchmark_id})


def old_of_request(request: BenchmarkRequest) -> str:
    """The fingerprint that older versions stored: it covers the defaults. Delete this when those keys have expired."""
    webhook = {} if request.webhook is None else {"webhook": _document(request.webhook)}
    spec = request.spec
    if spec.request_rate is None and "concurrency" not in spec.model_fields_set:
        spec = spec.model_copy(update={"concurrency": 1})
    document = spec.with_defaults().model_dump(mode="json", include=_OLD_FIELDS)
    return _digest({"rerun_of": None, **webhook, "spec": document})


def _document(webhook: WebhookRequest) -> dict[str, Any]:
    clear = "" if webhook.secret is None else webhook.secret.get_secret_value()
    return {
        "webhook_url": webhook.url,
        "webhook_events": webhook.events,
        "webhook_secret": hashlib.sha256(clear.encode()).hexdigest(),
    }


def _digest(asked: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()
