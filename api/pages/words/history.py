"""Numbers and settings of histories and leaderboards, as their pages write them."""

import json
from collections.abc import Callable
from typing import Any

from api.pages.charts.text import tick_text
from api.pages.words.numbers import share, significant, usd_per_1000
from api.schemas.history import MetricOut, SettingOut

# The unit in the head of a column, where it is not the API's own.
_UNITS = {"USD": "$ per 1,000", "share": "%"}
_TEXTS: dict[str, Callable[[float | None], str]] = {"USD": usd_per_1000, "share": share}
_LONGEST_VALUE = 60


def unit_text(metric: MetricOut) -> str:
    """`ms`, `$ per 1,000`, `%`."""
    return _UNITS.get(metric.unit, metric.unit)


def value_text(metric: MetricOut, value: float | None) -> str:
    """In the unit of the column: `142`, `$0.145`, `0.8 %`; an en dash for what is unknown."""
    return _TEXTS.get(metric.unit, significant)(value)


def axis_text(metric: MetricOut) -> Callable[[float], str]:
    """How the axis of a chart writes a value."""
    return _TEXTS.get(metric.unit, tick_text)


def amount_text(metric: MetricOut, value: float | None) -> str:
    """With its unit, for sentences: `142 ms`."""
    text = value_text(metric, value)
    return text if value is None or metric.unit in _TEXTS else f"{text} {metric.unit}"


def setting_text(item: SettingOut) -> str:
    """`concurrency is 8 instead of 4`."""
    return f"{item.field} is {_value(item.value)} instead of {_value(item.other)}"


def _value(value: Any) -> str:
    text = "not set" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
