"""Reads the token counts of a provider's usage reports, under all names that servers use, and reconciles them.

The reports of a stream are cumulative: each count is the largest one that was reported. A report that leaves a count
out says nothing about it. docs/metrics.md says what each count means.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from shared.benchmark.results.record import Usage

# A count above this is an error of the server: the largest models take and give some millions.
MAX_TOKENS = 100_000_000
MAX_COST_USD = Decimal(1_000_000)
_PICO = Decimal("1e-12")
# xAI states costs in ticks of 10^-10 USD.
_TICK = Decimal("1e-10")
_DEPTH = 4

Count = Literal["input", "output", "total", "reasoning", "read", "write", "write_5m", "write_1h"]

# Names in lower case and without the underscores that some servers write in them.
_NAMES: dict[str, Count] = {
    "prompttokens": "input",
    "inputtokens": "input",
    "prompttokencount": "input",
    "inputtokencount": "input",
    "promptevalcount": "input",
    "completiontokens": "output",
    "outputtokens": "output",
    "candidatestokencount": "output",
    "outputtokencount": "output",
    "evalcount": "output",
    "totaltokens": "total",
    "totaltokencount": "total",
    "cachedcontenttokencount": "read",
    "thoughtstokencount": "reasoning",
}
_CACHE: frozenset[Count] = frozenset({"read", "write", "write_5m", "write_1h"})
# Objects inside a usage that do not describe the whole request, or not in tokens.
_FOREIGN = frozenset({"iterations", "cost_details", "server_tool_use", "speculative_decoding"})


class UsageReader:
    """Reads the reports of one answer. `cache_in_input`: whether this protocol's input tokens include cached ones."""

    def __init__(self, *, cache_in_input: bool) -> None:
        self._cache_in_input = cache_in_input
        self._counts: dict[Count, int] = {}
        # Counts that a report gave out of range. They are unknown, whatever other counts suggest.
        self._unusable: set[Count] = set()
        self.provider_cost_usd: Decimal | None = None
        # Flags of `shared.benchmark.results.flags`.
        self.flags: set[str] = set()

    def read(self, report: dict[str, Any]) -> Usage:
        """Adds a report and returns what is known so far."""
        for name, value in _leaves(report, _DEPTH):
            count = _meaning(name)
            if count is not None and value is not None:
                self._note(count, value)
        cost = cost_of(report)
        if cost is not None:
            self.provider_cost_usd = cost
        return self._reconciled()

    def _note(self, count: Count, value: Any) -> None:
        number = _whole(value)
        if number is None:
            self.flags.add("usage_out_of_range")
            self._unusable.add(count)
            return
        before = self._counts.get(count)
        if before is not None and number < before:
            self.flags.add("usage_decreased")
            return
        self._counts[count] = number

    def _reconciled(self) -> Usage:
        counts = self._counts
        write = counts.get("write")
        parts = [counts[name] for name in ("write_5m", "write_1h") if name in counts]
        if parts:
            write = max(write or 0, sum(parts))
        long_lived = counts.get("write_1h")
        usage = Usage(
            input_tokens=counts.get("input"),
            output_tokens=counts.get("output"),
            reasoning_tokens=counts.get("reasoning"),
            cache_read_tokens=counts.get("read"),
            cache_write_tokens=write,
            cache_write_1h_tokens=long_lived,
            cache_in_input=self._cache_in_input,
            cache_unknown=not _CACHE.isdisjoint(self._unusable - counts.keys()),
        )
        if self._cache_in_input and "output" not in self._unusable:
            usage = self._by_total(_beside_input(usage))
        return self._within_output(usage)

    def _by_total(self, usage: Usage) -> Usage:
        """Output as the total tells it: some servers count reasoning beside the completion, or leave it out."""
        total, output, reasoning = self._counts.get("total"), usage.output_tokens, usage.reasoning_tokens
        counted = usage.total_input_tokens
        if total is None or counted is None:
            if output is not None and reasoning is not None and reasoning > output:
                self.flags.add("usage_beside_completion")
                return replace(usage, output_tokens=output + reasoning)
            return usage
        rest = total - counted
        if output is None:
            return replace(usage, output_tokens=rest) if rest >= 0 else usage
        if rest <= output:
            return usage
        cached = (usage.cache_read_tokens, (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0))
        if rest - output in cached and rest - output != reasoning:
            # What the total has more are cached tokens, which this server counts beside the input.
            return replace(usage, cache_in_input=False)
        self.flags.add("usage_beside_completion")
        return replace(usage, output_tokens=rest, reasoning_tokens=rest - output if reasoning is None else reasoning)

    def _within_output(self, usage: Usage) -> Usage:
        """Reasoning is a part of the output. A larger count is unknown."""
        output, reasoning = usage.output_tokens, usage.reasoning_tokens
        if output is None or reasoning is None or reasoning <= output:
            return usage
        self.flags.add("usage_contradictory")
        return replace(usage, reasoning_tokens=None, reasoning_unknown=True)


def without_contradictions(usage: Usage, *, text_arrived: bool) -> tuple[Usage, bool]:
    """The usage without counts that contradict what arrived, and whether there were any."""
    contradictory = False
    if usage.output_tokens == 0 and text_arrived:
        usage, contradictory = replace(usage, output_tokens=None, reasoning_tokens=None), True
    if usage.input_tokens == 0 and not usage.total_input_tokens:
        # Each request had a prompt.
        usage, contradictory = replace(usage, input_tokens=None), True
    return usage, contradictory


def find_usage(document: Any, *, depth: int = _DEPTH) -> tuple[dict[str, Any], bool] | None:
    """The usage in a document, and whether it stood at its usual place, the top. One that says nothing is none."""
    if not isinstance(document, dict):
        return None
    top = document.get("usage")
    if isinstance(top, dict) and _says_something(top):
        return top, True
    found = next(_usages(document, depth), None)
    return None if found is None else (found, False)


def _usages(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth == 0:
        return
    if isinstance(value, list):
        for item in value[:8]:
            yield from _usages(item, depth - 1)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, dict) and name.lower().replace("_", "") in ("usage", "usagemetadata"):
                if _says_something(inner):
                    yield inner
            elif isinstance(inner, dict | list):
                yield from _usages(inner, depth - 1)


def _beside_input(usage: Usage) -> Usage:
    """A server that reports more cached tokens than input tokens counts them beside the input."""
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    beside = usage.input_tokens is not None and cached > usage.input_tokens
    return replace(usage, cache_in_input=False) if beside else usage


def _says_something(report: dict[str, Any]) -> bool:
    return any(value is not None for _, value in _leaves(report, _DEPTH))


def _leaves(report: dict[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
    """Each name with its value, those of inner objects included."""
    for name, value in report.items():
        if isinstance(value, dict):
            if depth > 1 and name not in _FOREIGN:
                yield from _leaves(value, depth - 1)
        elif not isinstance(value, list):
            yield name, value


@lru_cache(maxsize=1_024)
def _meaning(name: str) -> Count | None:
    """What a count of this name means; None if it is none of ours."""
    word = name.lower().replace("_", "")
    if word in _NAMES:
        return _NAMES[word]
    if "token" not in word or "cost" in word or "price" in word:
        return None
    if "cach" in word:
        if "miss" in word or "uncached" in word:
            return None
        if "creat" in word or "writ" in word:
            return "write"
        return "read" if "read" in word or "hit" in word or "cached" in word else None
    if "ephemeral" in word:
        return "write_1h" if "1h" in word else "write_5m"
    if "reasoning" in word or "thinking" in word or "thought" in word:
        return "reasoning"
    return None


def _whole(value: Any) -> int | None:
    """A count from 0 to MAX_TOKENS; None if the value is no such count."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if isinstance(value, int) and 0 <= value <= MAX_TOKENS else None


def cost_of(report: dict[str, Any]) -> Decimal | None:
    """The provider's own statement of the cost in USD, in its usage or beside it; None if it makes none."""
    stated = report.get("cost")
    if isinstance(stated, dict):
        stated = stated.get("total_cost", stated.get("total"))
    for value, unit in (
        (stated, Decimal(1)),
        (report.get("total_cost"), Decimal(1)),
        (report.get("estimated_cost"), Decimal(1)),
        (report.get("cost_in_usd_ticks"), _TICK),
    ):
        if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
            continue
        try:
            cost = Decimal(str(value)) * unit
        except ArithmeticError:
            continue
        if cost.is_finite() and 0 <= cost < MAX_COST_USD:
            return cost.quantize(_PICO)
    return None
