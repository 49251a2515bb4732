"""Fingerprints of POSTs: two POSTs with the same `Idempotency-Key` must have the same one. For `api.submission.submit`.

A fingerprint covers what the caller wrote and no defaults, so that a retry is recognised after a default has changed.
"""

import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

import orjson

from shared.benchmark.request import BenchmarkRequest, WebhookRequest

# The fields that the old fingerprint covers. Fields that came later are not part of it.
_OLD_PARAMETERS = {
    *("max_tokens", "temperature", "top_p", "top_k", "stop", "seed", "frequency_penalty", "presence_penalty"),
    *("reasoning_effort", "thinking_budget_tokens"),
}
_OLD_TIMEOUTS = {"connect_s", "ttft_s", "idle_s", "total_s"}
_OLD_FIELDS = {
    *("name", "model", "provider", "system", "parameters", "repetitions", "warmup", "warmup_prefix", "concurrency"),
    *("request_rate", "arrival", "arrival_seed", "on_interrupt", "max_duration_s", "timeouts", "metadata", "prompts"),
}


def of_request(request: BenchmarkRequest) -> str:
    """The fingerprint of a `POST /benchmarks`. The order of its fields does not matter."""
    webhook = None if request.webhook is None else _document(request.webhook)
    document = request.spec.model_dump(mode="json", exclude_unset=True, exclude={"prompts"})
    prompts = (prompt.model_dump(mode="json", exclude_unset=True) for prompt in request.spec.prompts)
    return _digest_with_prompts(prompts, document, {"webhook": webhook})


def of_rerun(benchmark_id: int) -> str:
    """The fingerprint of a `POST /benchmarks/{id}/rerun`, which has no body."""
    return hashlib.sha256(_dumped({"rerun_of": benchmark_id})).hexdigest()


def old_of_request(request: BenchmarkRequest) -> str | None:
    """The fingerprint that older versions stored: it covers the defaults. Delete this when those keys have expired.

    None for a request with a field that older versions did not know.
    """
    webhook = {} if request.webhook is None else {"webhook": _document(request.webhook)}
    spec = request.spec
    parameters = [spec.parameters, *(prompt.parameters for prompt in spec.prompts)]
    if spec.model_fields_set - _OLD_FIELDS or any(item.model_fields_set - _OLD_PARAMETERS for item in parameters):
        return None
    if spec.request_rate is None and "concurrency" not in spec.model_fields_set:
        spec = spec.model_copy(update={"concurrency": 1})
    document = spec.with_defaults().model_dump(
        mode="json",
        include={
            **dict.fromkeys(_OLD_FIELDS - {"prompts"}, True),
            "parameters": _OLD_PARAMETERS,
            "timeouts": _OLD_TIMEOUTS,
        },
    )
    of_a_prompt: Any = {"system": True, "messages": True, "parameters": _OLD_PARAMETERS}
    prompts = (prompt.model_dump(mode="json", include=of_a_prompt) for prompt in spec.prompts)
    return _digest_with_prompts(prompts, document, {"rerun_of": None, **webhook})


def _document(webhook: WebhookRequest) -> dict[str, Any]:
    clear = "" if webhook.secret is None else webhook.secret.get_secret_value()
    return {
        "webhook_url": webhook.url,
        "webhook_events": webhook.events,
        "webhook_secret": hashlib.sha256(clear.encode()).hexdigest(),
    }


def _digest_with_prompts(prompts: Iterable[dict[str, Any]], spec: dict[str, Any], rest: dict[str, Any]) -> str:
    """That of `rest` with the spec, and the prompts in it.

    One prompt after the other: a dump of all takes as much memory as the body, and lets no other thread run.
    """
    place = secrets.token_hex(16)
    document = _dumped({**rest, "spec": {**spec, "prompts": place}})
    before, _, after = document.partition(f'"{place}"'.encode())
    digest = hashlib.sha256(before + b"[")
    for number, prompt in enumerate(prompts):
        digest.update(b"," * bool(number) + _dumped(prompt))
    digest.update(b"]" + after)
    return digest.hexdigest()


def _dumped(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
