"""Writes numbers for people. Unknown is a dash, never 0."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

UNKNOWN = "–"


def milliseconds(value: float | None) -> str:
    """`203.4`, in ms; without tenths from 10 s on."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.1f}"


def rate(value: float | None) -> str:
    """A number per second: `12.3`."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:.2f}"


def count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def usd(value: float | None) -> str:
    """`$1.25`; below one dollar with three significant digits: `$0.0000163`."""
    if value is None:
        return UNKNOWN
    if value == 0 or abs(value) >= 1:
        return f"${value:,.2f}"
    digits = min(2 - math.floor(math.log10(abs(value))), 12)
    return f"${value:.{digits}f}"


# The function that writes a metric, by the metric's unit.
WRITERS: dict[str, Callable[[Any], str]] = {
    "ms": milliseconds,
    "ms/token": milliseconds,
    "tokens/s": rate,
    "tokens": count,
    "USD": usd,
}


def price(value: Any) -> str:
    """USD per million tokens: a number, or `3+` if the price rises with the size of the prompt."""
    if value is None:
        return UNKNOWN
    if isinstance(value, dict):
        return f"{value['base']:g}+"
    return f"{value:g}"


def instant(value: str | None) -> str:
    """A UTC instant to the minute: `2025-01-15 10:30`."""
    if value is None:
        return UNKNOWN
    return datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M")


def seconds_between(start: str | None, end: str | None) -> str:
    if start is None or end is None:
        return UNKNOWN
    return f"{(datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds():.1f}"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
