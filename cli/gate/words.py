"""Writes the numbers of rules and verdicts, with their units."""

from collections.abc import Sequence

from cli.gate.measure import Unit
from cli.render.numbers import milliseconds, rate, usd


def shown(value: float | str, unit: Unit) -> str:
    """`912.3 ms`, `1.20%`, `$0.145`, `12.3 requests/s`; a grade as it is."""
    if isinstance(value, str):
        return value
    if unit == "USD":
        return usd(value) if value >= 0 else f"-{usd(-value)}"
    if unit == "share":
        return f"{value:.2%}"
    if unit in ("requests/s", "tokens/s"):
        return f"{rate(value)} {unit}"
    return f"{milliseconds(value)} {unit}"


def between(interval: Sequence[float], unit: Unit) -> str:
    """`875.1 ms to 950.2 ms`."""
    return f"{shown(interval[0], unit)} to {shown(interval[1], unit)}"
