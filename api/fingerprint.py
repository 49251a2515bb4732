"""Whether two POSTs with the same `Idempotency-Key` ask for the same. Used by `api.submit`.

A fingerprint covers what the caller wrote and no defaults, so that a retry is recognised after a default has changed.
"""

import hashlib
from typing import Any

import orjson

from shared.benchmark.request import WEBHOOK_FIELDS, BenchmarkRequest
from shared.benchmark.spec import BenchmarkSpec


def of_request(request: BenchmarkRequest) -> str:
    """Of a `POST /benchmarks`, whatever the order of its fields."""
    spec = request.model_dump(mode="json", exclude_unset=True, exclude=WEBHOOK_FIELDS)
    return _digest({"spec": spec, "webhook": _webhook(request)})


def of_rerun(benchmark_id: int) -> str:
    """Of a `POST /benchmarks/{id}/rerun`, which has no body."""
    return _digest({"rerun_of": benchmark_id})


def old_of_request(request: BenchmarkRequest) -> str:
    """As it was stored when fingerprints still covered the defaults. Delete this once such keys are a day old."""
    webhook = _webhook(request)
    return _old(request, {"rerun_of": None} if webhook is None else {"rerun_of": None, "webhook": webhook})


def old_of_rerun(spec: BenchmarkSpec, benchmark_id: int) -> str:
    """The same for a rerun of a benchmark that was stored with this spec."""
    return _old(spec, {"rerun_of": benchmark_id})


def _old(spec: BenchmarkSpec, asked: dict[str, Any]) -> str:
    if spec.request_rate is None and "concurrency" not in spec.model_fields_set:
        spec = spec.model_copy(update={"concurrency": 1})
    return _digest({**asked, "spec": spec.with_defaults().model_dump(mode="json", exclude=WEBHOOK_FIELDS)})


def _webhook(request: BenchmarkRequest) -> dict[str, Any] | None:
    if request.webhook_url is None:
        return None
    secret = request.webhook_secret
    clear = "" if secret is None else secret.get_secret_value()
    return {
        "webhook_url": request.webhook_url,
        "webhook_events": request.webhook_events,
        "webhook_secret": hashlib.sha256(clear.encode()).hexdigest(),
    }


def _digest(asked: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()
