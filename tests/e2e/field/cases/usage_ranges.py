"""Counts that no answer can have. They are unknown and flagged, and good answers of the same run are kept."""

from typing import Any

from tests.e2e.field.case import Answer, Case, one_of
from tests.e2e.field.wire import (
    DONE,
    HI,
    STOP,
    TEXT_BLOCK,
    answer,
    block_start,
    block_text,
    chunk,
    completion,
    data,
    message_end,
    message_start,
    usage,
)

# As JSON. What is no number may be read as what it says, or be unknown.
_VALUES: dict[str, tuple[str, Any]] = {
    "largest": ("9223372036854775807", None),
    "beyond-64-bits": ("9223372036854775808", None),
    "thirty-digits": ("1" + "0" * 30, None),
    "negative": ("-1", None),
    "float": ("1e300", None),
    "infinite": ("1e400", None),
    "text": ('"12"', one_of(None, 12)),
    "fraction": ("12.5", None),
    "boolean": ("true", None),
    "list": ("[12]", None),
    "object": ('{"tokens":12}', None),
}
_OF_NUMBERS = ("largest", "beyond-64-bits", "thirty-digits", "negative", "float", "infinite", "fraction")
# A total would tell the output.
_NO_TOTAL = data(completion(usage={"prompt_tokens": 5, "completion_tokens": 77}))


def _said(event: bytes, value: str) -> bytes:
    """The event with this JSON in place of the number 77."""
    return event.replace(b":77", b":" + value.encode())


CASES = (
    *[
        Case(
            f"output-tokens-{name}",
            Answer((50, HI), (90, STOP + _said(_NO_TOTAL, value) + DONE)),
            {
                "outcome": "succeeded",
                "response": "Hi",
                "input_tokens": 5,
                "output_tokens": seen,
                "tokens_per_second": None,
                **({"flags": "usage_out_of_range"} if name in _OF_NUMBERS else {}),
            },
            run="robust",
        )
        for name, (value, seen) in _VALUES.items()
    ],
    *[
        Case(
            f"input-tokens-{name}",
            Answer((50, HI), (90, STOP + _said(usage(77, 5, 82), value) + DONE)),
            {
                "outcome": "succeeded",
                "input_tokens": _VALUES[name][1],
                "output_tokens": 5,
                "flags": "usage_out_of_range",
            },
            run="robust",
        )
        for name in _OF_NUMBERS
        for value in [_VALUES[name][0]]
    ],
    *[
        Case(
            f"anthropic-tokens-{name}",
            Answer(
                (50, message_start(input_tokens=25, output_tokens=1) + block_start(TEXT_BLOCK) + block_text("Hi")),
                (90, _said(message_end(output_tokens=77), _VALUES[name][0])),
            ),
            {"outcome": "succeeded", "input_tokens": 25, "output_tokens": None, "flags": "usage_out_of_range"},
            protocol="anthropic",
            run="robust",
        )
        for name in _OF_NUMBERS
    ],
    Case(
        "details-out-of-range",
        Answer(
            (50, HI),
            (
                90,
                STOP
                + _said(
                    usage(
                        10,
                        5,
                        prompt_tokens_details={"cached_tokens": 77},
                        completion_tokens_details={"reasoning_tokens": 77},
                    ),
                    "9223372036854775808",
                )
                + DONE,
            ),
        ),
        {
            "outcome": "succeeded",
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_read_tokens": None,
            "reasoning_tokens": None,
            "flags": "usage_out_of_range",
        },
        run="robust",
    ),
    Case(
        "stated-cost-out-of-range",
        Answer((50, HI), (90, STOP + _said(usage(10, 5, cost=77), "1e300") + DONE)),
        {"outcome": "succeeded", "output_tokens": 5, "provider_cost_usd": None},
        run="robust",
    ),
    Case(
        "stated-cost-negative",
        Answer((50, HI), (90, STOP + usage(10, 5, cost=-1) + DONE)),
        {"outcome": "succeeded", "output_tokens": 5, "provider_cost_usd": None},
        run="robust",
    ),
    Case(
        "served-names-of-any-kind-and-length",
        Answer(
            (
                50,
                chunk({"content": "Hi"}, model="m" * 100_000, service_tier={"name": "flex"}, system_fingerprint=[1]),
            ),
            (90, STOP + usage(10, 5) + DONE),
        ),
        {"outcome": "succeeded", "output_tokens": 5},
        run="robust",
    ),
    *[
        Case(
            f"good-answer-{number}",
            Answer((50, answer("Hi", usage=usage(10, 5)))),
            {"outcome": "succeeded", "response": "Hi", "output_tokens": 5},
            run="robust",
        )
        for number in range(3)
    ],
)
