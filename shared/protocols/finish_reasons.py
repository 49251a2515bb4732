"""What a provider's finish reason means. Decoders find failures with it, and `worker.engine.result` sets flags."""

import re
from typing import Literal

FinishClass = Literal["failed", "cut_by_max_tokens", "refused", "filtered", "paused"]

# Whole words of providers. Others are understood by their parts.
_WORDS: dict[str, FinishClass] = {
    # Cohere's word for an answer that met the limit of the context.
    "error_limit": "cut_by_max_tokens",
    "refusal": "refused",
    "recitation": "filtered",
    "blocklist": "filtered",
    "spii": "filtered",
    "sensitive": "filtered",
    "guardrail_intervened": "filtered",
    "pause_turn": "paused",
}
# In this order, because `ERROR_TOXIC` of Cohere and `data_inspection_failed` of Alibaba are words of filters. Failures
# are DeepSeek's `insufficient_system_resource`, `abort` of SGLang and vLLM, `error` of OpenRouter, and others.
_PARTS: tuple[tuple[FinishClass, re.Pattern[str]], ...] = (
    ("filtered", re.compile(r"filter|safety|prohibited|blocked|toxic|inspection|moderat")),
    (
        "failed",
        re.compile(
            r"error|fail|abort|timeout|timed_out|cancell?ed|insufficient|unavailable|overload|malformed|exception"
            r"|interrupted"
        ),
    ),
    ("cut_by_max_tokens", re.compile(r"length|max\w*tokens|token_?limit|context_window")),
)


def class_of(reason: str | None) -> FinishClass | None:
    """The class of a finish reason; None for an ordinary end and for words that are not known."""
    if not reason:
        return None
    word = reason.strip().lower().replace("-", "_").replace(" ", "_").removeprefix("finish_reason_")
    if (known := _WORDS.get(word)) is not None:
        return known
    return next((found for found, part in _PARTS if part.search(word)), None)


def kind_of_failure(reason: str) -> str:
    """The error kind of a finish reason whose class is `failed`."""
    word = reason.lower()
    if "insufficient" in word or "overload" in word or "unavailable" in word:
        return "overloaded"
    return "provider_timeout" if "time" in word else "provider_error"
