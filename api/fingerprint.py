"""Fingerprints of POSTs: two POSTs with the same `Idempotency-Key` must have the same one. Used by `api.submit`.

A fingerprint covers what the caller wrote and no defaults, so that a retry is recognised after a default has changed.
"""

import hashlib
from typing import Any

import orjson

from shared.benchmark.request import BenchmarkRequest, WebhookRequest
from shared.benchmark.spec import BenchmarkSpec


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
    return _old(request.spec, {"rerun_of": None, **webhook})


def old_of_rerun(spec: BenchmarkSpec, benchmark_id: int) -> str:
    """The fingerprint that older versions stored for a rerun. `spec` is the stored spec of the benchmark to repeat."""
    return _old(spec, {"rerun_of": benchmark_id})


def _old(spec: BenchmarkSpec, asked: dict[str, Any]) -> str:
    if spec.request_rate is None and "concurrency" not in spec.model_fields_set:
        spec = spec.model_copy(update={"concurrency": 1})
    document = spec.with_defaults().model_dump(mode="json")
    # Older versions did not have this parameter.
    for parameters in (document["parameters"], *(prompt["parameters"] for prompt in document["prompts"])):
        if parameters["service_tier"] is None:
            del parameters["service_tier"]
    return _digest({**asked, "spec": document})


def _document(webhook: WebhookRequest) -> dict[str, Any]:
    clear = "" if webhook.secret is None else webhook.secret.get_secret_value()
    return {
        "webhook_url": webhook.url,
        "webhook_events": webhook.events,
        "webhook_secret": hashlib.sha256(clear.encode()).hexdigest(),
    }


def _digest(asked: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()
