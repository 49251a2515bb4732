"""What a provider's finish reason means. Decoders find failures with it, and `worker.engine.result` sets flags."""

import re
from typing import Literal

FinishClass = Literal["failed", "cut_by_max_tokens", "refused", "filtered", "paused"]

# Whole words of providers. Others are understood by their parts.
_WORDS: dict[str, FinishClass] = {
    "length": "cut_by_max_tokens",
    "max_tokens": "cut_by_max_tokens",
    "max_output_tokens": "cut_by_max_tokens",
    "model_length": "cut_by_max_tokens",
    "model_context_window_exceeded": "cut_by_max_tokens",
    "context_length_exceeded": "cut_by_max_tokens",
    "refusal": "refused",
    "content_filter": "filtered",
    "safety": "filtered",
    "recitation": "filtered",
    "blocklist": "filtered",
    "prohibited_content": "filtered",
    "spii": "filtered",
    "sensitive": "filtered",
    "guardrail_intervened": "filtered",
    "content_filtered": "filtered",
    "pause_turn": "paused",
}
# DeepSeek's `insufficient_system_resource`, `abort` of SGLang and vLLM, `error` of OpenRouter and Mistral, and others.
_FAILED = re.compile(
    r"error|fail|abort|timeout|timed_out|cancell?ed|insufficient|unavailable|overload|malformed|exception|interrupted"
)
_FILTERED = re.compile(r"filter|safety|prohibited|blocked")


def class_of(reason: str | None) -> FinishClass | None:
    """The class of a finish reason; None for an ordinary end and for words that are not known."""
    if not reason:
        return None
    word = reason.strip().lower().replace("-", "_").replace(" ", "_")
    if (known := _WORDS.get(word)) is not None:
        return known
    if _FAILED.search(word):
        return "failed"
    return "filtered" if _FILTERED.search(word) else None


def kind_of_failure(reason: str) -> str:
    """The error kind of a finish reason whose class is `failed`."""
    word = reason.lower()
    if "insufficient" in word or "overload" in word or "unavailable" in word:
        return "overloaded"
    return "provider_timeout" if "time" in word else "provider_error"
