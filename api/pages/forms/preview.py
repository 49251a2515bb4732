"""What the page of a new benchmark shows before the start: the estimate, and the same benchmark for a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.pages.forms.equivalent import curl, shortened, yaml_spec
from api.pages.words.numbers import UNKNOWN, count, seconds, usd
from shared.budgets.cap_name import CapName


@dataclass(frozen=True, slots=True)
class Figure:
    """`why`: the reason if `value` is not known, or what it holds for."""

    title: str
    value: str
    why: str = ""


_TIMEOUTS = "if each request takes until its timeouts"


@dataclass(frozen=True, slots=True)
class Commands:
    """`left_out`: how many prompts are not in the texts."""

    curl: str
    yaml: str
    left_out: int


def commands(request: Mapping[str, Any], url: str, needs_key: bool = False) -> Commands:
    """In a thread: YAML takes a while."""
    shown, left_out = shortened(request)
    return Commands(curl(shown, url, needs_key=needs_key), yaml_spec(shown), left_out)


def figures(estimate: Mapping[str, Any]) -> Sequence[Figure]:
    """`estimate`: of `shared.benchmark.estimate`, as the API returns it."""
    return [
        _requests(estimate["requests"], estimate["warmup_requests"]),
        _range("Takes", seconds, estimate["duration_s"], "it depends on how fast the endpoint answers", _TIMEOUTS),
        _range("Costs", usd, estimate["cost_usd"], "the model has no known price, or its tokens are not known"),
        *_at_most(estimate),
        _input(estimate["input_tokens"]),
        _range("Output", _tokens, estimate["output_tokens"], "the number of requests is not known"),
    ]


def _requests(requests: int | None, warmup: int | None) -> Figure:
    if requests is None:
        return Figure("Sends", UNKNOWN, "a duration or results decide how many requests are sent")
    of_them = f", {count(warmup)} of them as warm-up" if warmup else ""
    return Figure("Sends", f"{count(requests)} request{'' if requests == 1 else 's'}{of_them}")


def _at_most(estimate: Mapping[str, Any]) -> Sequence[Figure]:
    """The worst case, and what the budgets have, if any counts."""
    worst, caps = estimate.get("worst_case_usd"), estimate.get("budgets") or ()
    if worst is None or not caps:
        return []
    left = "; ".join(f"{CapName.of(cap['budget']).words} has {usd(cap['left_usd'])}" for cap in caps)
    return [Figure("At most", usd(worst), left)]


def _input(tokens: int | None) -> Figure:
    if tokens is None:
        return Figure("Input", UNKNOWN, "texts or the number of requests are not known")
    return Figure("Input", f"about {_tokens(tokens)}")


def _tokens(value: Any) -> str:
    return f"{count(value)} token{'' if value == 1 else 's'}"


def _range(title: str, words: Any, found: Mapping[str, Any] | None, why: str, if_high: str = "") -> Figure:
    low, high = (found["low"], found["high"]) if found else (None, None)
    if low is None and high is None:
        return Figure(title, UNKNOWN, why)
    if high is None:
        return Figure(title, f"at least {words(low)}")
    if low is not None and words(low) == words(high):
        return Figure(title, words(high))
    return Figure(title, f"{words(low)} to {words(high)}" if low else f"at most {words(high)}", if_high)
