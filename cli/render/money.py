"""What was spent, and budgets, as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from cli.render.numbers import UNKNOWN, count, instant, usd
from cli.render.table import table
from cli.terminal.output import Line, clean

# The columns that name what a sum is of, by `by`: title, and how it is written.
_OF = {
    "key": (("key", "key_id"), ("its name", "name"), ("owner", "owner")),
    "model": (("model", "model"), ("provider", "provider")),
    "day": (("day (UTC)", "day"),),
    "owner": (("owner", "owner"),),
    "benchmark": (("id", "benchmark_id"), ("name", "name"), ("model", "model"), ("key", "key_id"), ("owner", "owner")),
}
_SUMS = ("spent", "of it worst case", "requests", "without a price", "benchmarks")


def spend_lines(found: Mapping[str, Any]) -> list[Line]:
    """`found`: the answer to `GET /spend`. The last row has the sum."""
    columns = _OF[found["by"]]
    # What a sum by benchmark is of has only one benchmark.
    sums = _SUMS[:-1] if found["by"] == "benchmark" else _SUMS
    header = [*(title for title, _ in columns), *sums]
    rows = [[*(_cell(item[field]) for _, field in columns), *_sums(item)][: len(header)] for item in found["items"]]
    total = ["all", *[""] * (len(columns) - 1), *_sums(found["total"])][: len(header)]
    names = range(len(columns))
    return table(
        header,
        [*rows, total],
        right="l" * len(columns) + "r" * len(sums),
        fit=[*names],
        # What a narrow terminal does without, first to last.
        drop=[*range(len(columns) - 1, 0, -1), *range(len(header) - 1, len(columns), -1)],
        narrowest=14,
    )


def _sums(item: Mapping[str, Any]) -> list[str]:
    return [
        usd(item["spent_usd"]),
        usd(item["worst_case_usd"]),
        count(item["requests"]),
        count(item["unpriced_requests"]),
        count(item["benchmarks"]),
    ]


def _cell(value: Any) -> str:
    return UNKNOWN if value is None else clean(str(value))


def budget_lines(budgets: Sequence[Mapping[str, Any]]) -> list[Line]:
    """One row for each budget, with how full it is."""
    header = ("of", "name", "per", "budget", "spent", "reserved", "left", "full", "begins anew (UTC)", "owner")
    rows = [
        (
            item["holder"],
            clean(item["id"]),
            item["period"],
            usd(item["cap_usd"]),
            usd(item["spent_usd"]),
            usd(item["reserved_usd"]),
            usd(item["left_usd"]),
            f"{(item['spent_usd'] + item['reserved_usd']) / item['cap_usd']:.0%}",
            instant(item["resets_at"]),
            clean(item["owner"]),
        )
        for item in budgets
    ]
    return table(header, rows, right="lllrrrrrll", fit=(1, 9), drop=(9, 5, 8, 7), narrowest=12)


def budget_line(item: Mapping[str, Any]) -> Line:
    """A budget that was set."""
    used = f"{usd(item['spent_usd'])} is spent, {usd(item['left_usd'])} left until {instant(item['resets_at'])} UTC"
    text = f"{item['holder']} {item['id']} may spend {usd(item['cap_usd'])} a {item['period']}; {used}"
    return Line(clean(text), hang=2)
