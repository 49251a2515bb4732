"""Answers in a sentence how times depend on the number of tokens: "how does latency vary with prompt complexity?"""

from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.words.numbers import duration_ms, significant

# Prompts have many tokens, answers few.
_PER = {"input": (1_000, "1,000 input tokens"), "output": (1, "output token")}
# A line that explains less than this share of the variance says little.
_LITTLE = 0.1
_NOTHING_SEEN = (
    "This cannot be seen here: all requests have the same number of input tokens and the same number of output "
    "tokens, or the numbers are unknown."
)


def sentence_of(fit: Mapping[str, Any] | None, time: str, tokens: str, count: int) -> str:
    """`time`: its name, such as `TTFT`. `tokens`: `input` or `output`. `count`: how many requests succeeded."""
    if fit is None:
        if not count:
            return "No request succeeded."
        return _not_seen((time,), tokens)
    times, unit = _PER[tokens]
    slope, interval = fit["slope"] * times, fit["slope_interval"]
    per = f"per {unit}"
    who = f"{fit['n']:,} requests of {fit['prompts']:,} prompts"
    change = f"{_signed(slope)} {per}"
    if interval is None:
        return f"{time} changes by {change} ({who}, which are too few for an interval)."
    low, high = (end * times for end in interval)
    within = f"95 % interval {_signed(low)} to {_signed(high)}"
    if low <= 0 <= high:
        return f"{time} does not visibly depend on {tokens} tokens: {change} ({within}; {who})."
    verb = "rises" if slope > 0 else "falls"
    text = f"{time} {verb} by {duration_ms(abs(slope))} {per} ({within}; {who})."
    explained = fit["explained"]
    if explained is None:
        return text
    little = " So other things matter more." if explained < _LITTLE else ""
    return (
        f"{text} The number of {tokens} tokens explains {significant(100 * explained, 2)} % of its variation.{little}"
    )


def what_is_not_seen(fits: Mapping[str, Any]) -> list[str]:
    """Says once which times have no line, and why. `fits`: as `GET …/charts` has it, of succeeded requests."""
    times = {"ttft": "TTFT", "latency": "latency"}
    missing = {tokens: [name for time, name in times.items() if fits[f"{time}_by_{tokens}"] is None] for tokens in _PER}
    if all(len(names) == len(times) for names in missing.values()):
        return [_NOTHING_SEEN]
    return [_not_seen(names, tokens) for tokens, names in missing.items() if names]


def _not_seen(times: Sequence[str], tokens: str) -> str:
    names = " and ".join(times)
    return (
        f"{names[0].upper()}{names[1:]} cannot be seen against {tokens} tokens: all requests have the same number, or "
        "it is unknown."
    )


def _signed(value: float) -> str:
    return f"−{duration_ms(-value)}" if value < 0 else f"+{duration_ms(value)}"
