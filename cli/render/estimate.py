"""What a benchmark would send, take and cost, for `llmbench run --dry-run`."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.render.numbers import UNKNOWN, count, duration, usd
from cli.render.pairs import pair
from cli.terminal.output import WARNING, Line, clean


def dry_run_lines(checked: Mapping[str, Any]) -> Iterator[Line]:
    """`checked`: the answer to `POST /benchmarks/estimate`."""
    found = checked["estimate"]
    for notice in (*checked["notices"], *found["notes"]):
        yield Line(f"! {clean(notice)}", WARNING, 2)
    yield pair("Endpoint", clean(checked["provider"]))
    warmup = f", {found['warmup_requests']:,} of them warm-up" if found["warmup_requests"] else ""
    yield pair("Requests", f"{count(found['requests'])}{warmup}")
    read = found["input_tokens"]
    yield pair("Input", UNKNOWN if read is None else f"about {read:,} tokens{_how(found)}")
    output = found["output_tokens"]
    yield pair("Output", UNKNOWN if output is None else f"{_range(count(output['low']), count(output['high']))} tokens")
    yield pair("Duration", _duration(found["duration_s"]))
    cost = found["cost_usd"]
    unknown = f"{UNKNOWN} (the model has no known price, or tokens are not known)"
    yield pair("Cost", unknown if cost is None else _range(usd(cost["low"]), usd(cost["high"])))
    if (worst := found.get("worst_case_usd")) is not None:
        yield pair("At most", f"{usd(worst)}, which budgets count before requests are sent")
    for cap in found.get("budgets", ()):
        what = clean(_holder(cap["budget"]))
        yield pair("Budget", f"{what}: {usd(cap['left_usd'])} left of {usd(cap['cap_usd'])}")
    yield Line("Nothing was stored or sent.")


def _holder(budget: str) -> str:
    """`key:ab12cd34:day:2026-11-27` in words."""
    holder, *rest = budget.split(":")
    if holder == "benchmark":
        return "its own"
    return f"{holder} {rest[0]} for {rest[2]}" if len(rest) == 3 else budget


def _how(found: Mapping[str, Any]) -> str:
    return " (4 bytes of text are taken for one)" if found["tokens_counted_by"] == "bytes" else ""


def _duration(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return UNKNOWN
    low, high = found["low"], found["high"]
    if high is None:
        return f"at least {duration(low)}"
    longest = f"{duration(high)} if every request takes until its deadline"
    return f"at most {longest}" if low is None else f"{duration(low)} to {longest}"


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
