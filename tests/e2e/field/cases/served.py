"""What an answer says it came from, and why it ended."""

from tests.e2e.field.case import Answer, Case
from tests.e2e.field.wire import (
    DONE,
    HI,
    STOP,
    answer,
    chunk,
    message,
    text,
    usage,
)


def _finished(name: str, reason: str, flag: str) -> Case:
    return Case(
        name,
        Answer((50, HI), (90, text("!") + chunk({}, reason) + usage(3, 2) + DONE)),
        {"outcome": "succeeded", "response": "Hi!", "finish_reason": reason, "flags": flag},
        run="finishes",
        transports=("auto",),
    )


def _stopped(name: str, reason: str, flag: str) -> Case:
    return Case(
        name,
        Answer((50, message("Hi", stop_reason=reason))),
        {"outcome": "succeeded", "response": "Hi", "finish_reason": reason, "flags": flag},
        protocol="anthropic",
    )


CASES = (
    Case(
        "fingerprint-and-tier",
        Answer(
            (50, chunk({"content": "Hi"}, service_tier="default", system_fingerprint="fp_1")),
            (90, chunk({"content": "!"}, "stop", service_tier="default", system_fingerprint="fp_1") + DONE),
        ),
        {
            "outcome": "succeeded",
            "served_model": "m",
            "service_tier": "default",
            "system_fingerprint": "fp_1",
            "no_flags": ("served_model_differs", "service_tier_differs"),
        },
    ),
    Case(
        "same-model-by-its-date",
        Answer((50, answer("Hi", usage=usage(1000, 1000)).replace(b'"m"', b'"gpt-4o-2024-08-06"'))),
        # 1,000 x 2.5 + 1,000 x 10
        {"outcome": "succeeded", "no_flags": "served_model_differs", "cost": 0.0125},
        model="gpt-4o",
        price="openai",
    ),
    Case(
        "model-changes-in-the-stream",
        Answer((50, HI.replace(b'"m"', b'"gpt-4o"')), (90, (STOP + DONE).replace(b'"m"', b'"gpt-4o-mini-2024-07-18"'))),
        {"outcome": "succeeded", "served_model": "gpt-4o-mini-2024-07-18", "flags": "served_model_differs"},
        model="gpt-4o",
        price="openai",
    ),
    # How answers end.
    _finished("cut-by-max-tokens", "length", "cut_by_max_tokens"),
    _finished("filtered", "content_filter", "filtered"),
    _stopped("cut-by-max-tokens-of-anthropic", "max_tokens", "cut_by_max_tokens"),
    _stopped("cut-by-the-context-window", "model_context_window_exceeded", "cut_by_max_tokens"),
    _stopped("refused-by-anthropic", "refusal", "refused"),
    _stopped("paused", "pause_turn", "paused"),
    Case(
        "reasoning-used-up-max-tokens",
        Answer((50, chunk({"reasoning_content": "Hm"})), (90, chunk({}, "length") + usage(3, 100) + DONE)),
        {
            "outcome": "succeeded",
            "response": None,
            "reasoning": "Hm",
            "ttfat_ms": None,
            "flags": ("no_answer", "cut_by_max_tokens"),
        },
        run="finishes",
        transports=("auto",),
    ),
    Case(
        "ended-as-usual",
        Answer((50, HI), (90, STOP + usage(3, 2) + DONE)),
        {"outcome": "succeeded", "no_flags": ("cut_by_max_tokens", "refused", "filtered", "paused", "no_answer")},
        run="finishes",
        transports=("auto",),
    ),
)
