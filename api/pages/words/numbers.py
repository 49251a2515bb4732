"""Numbers for people: three significant digits, thousands with commas, an en dash for what is unknown."""

import math

UNKNOWN = "–"

Value = float | int | None

FILTERS = ("significant", "exact", "count", "duration_ms", "usd", "usd_per_1000", "share", "seconds")


def significant(value: Value, digits: int = 3) -> str:
    """`142`, `0.310`, `1,240`: whole digits are never rounded away, and counts (int) are written whole."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0 or isinstance(value, int):
        return f"{value:,.0f}"
    decimals = max(0, digits - 1 - _exponent(value, digits))
    return f"{value:,.{decimals}f}"


def exact(value: Value) -> str:
    """All digits, for what appears on hover and in copies: `1240.318`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return str(value) if isinstance(value, int) else format(value, ".15g")


def count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def duration_ms(value: Value) -> str:
    """Milliseconds with their unit: `0.310 ms`, `142 ms`, `1.24 s`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{significant(value)} ms" if abs(value) < 1_000 else seconds(value / 1_000)


def seconds(value: Value) -> str:
    """Seconds in the unit that suits them: `1.24 s`, `3 min`, `2.5 h`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) < 120:
        return f"{significant(value)} s"
    return f"{significant(value / 60)} min" if abs(value) < 7_200 else f"{significant(value / 3_600)} h"


def usd(value: Value) -> str:
    """`$1.25`, and three significant digits below one dollar: `$0.0000163`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    sign = "-" if value < 0 else ""
    if value == 0 or abs(value) >= 1:
        return f"{sign}${abs(value):,.2f}"
    return f"{sign}${abs(value):.{min(2 - _exponent(value, 3), 15)}f}"


def usd_per_1000(value: Value) -> str:
    """Cost of one as the cost of a thousand: `0.000145` is `$0.145`."""
    return UNKNOWN if value is None else usd(value * 1_000)


def share(value: Value) -> str:
    """A part of one in per cent: `0.8 %`, `12.5 %`, `< 0.01 %`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    percent = value * 100
    if 0 < percent < 0.01:
        return "< 0.01 %"
    if 99.99 < percent < 100:
        return "> 99.99 %"
    return f"{percent:.3g} %" if percent < 1 else f"{percent:.1f}".removesuffix(".0") + " %"


def _exponent(value: float, digits: int) -> int:
    """The power of ten of the first digit after rounding."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])
