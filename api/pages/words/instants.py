"""Instants for people: relative under a day, absolute in UTC on hover. `times.js` shows dates in the reader's zone."""

from datetime import UTC, datetime, timedelta

FILTERS = ("ago", "utc", "iso")

DAY = timedelta(days=1)


def ago(value: datetime, now: datetime) -> str:
    """`12 min ago`, `in 3 h`; from a day on the date: `2025-01-15 10:30`."""
    passed = now - value
    if abs(passed) >= DAY:
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    seconds = int(abs(passed).total_seconds())
    if seconds < 5:
        return "now"
    amount = f"{seconds} s" if seconds < 60 else f"{seconds // 60} min" if seconds < 3_600 else f"{seconds // 3_600} h"
    return f"{amount} ago" if passed > timedelta() else f"in {amount}"


def utc(value: datetime) -> str:
    """To the second: `2025-01-15 10:30:00 UTC`."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(value: datetime) -> str:
    """For machines: `2025-01-15T10:30:00Z`."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
