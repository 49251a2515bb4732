"""Reads the text of a Prometheus endpoint: the values of our series in it. The text may be anything."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from shared.observing.series import ALL, METRICS, Series, Source

# The most samples of ours in one text. A server of 64 GPUs has a few hundred.
MAX_SAMPLES = 5_000
# The longest line of ours. The time of the parser grows with the square of the number of labels.
MAX_LINE_BYTES = 4_000
# Names end at the labels or at the value.
_NAMES = frozenset(name.encode() for name in METRICS)

Samples = list[tuple[Mapping[str, str], float]]


class Unreadable(Exception):
    """The text cannot be used. `kind` says why: `unreadable` or `no_known_series`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def readings(text: bytes) -> dict[str, float]:
    """The values of the series that the text has, by name: gauges, and the totals of counters. Raises Unreadable."""
    # Only our lines are parsed: a server has hundreds of others, and the parser is slow.
    lines = list(_ours(text))
    if len(lines) > MAX_SAMPLES or any(len(line) > MAX_LINE_BYTES for line in lines):
        raise Unreadable("unreadable")
    samples = _parsed(lines)
    found = {series.name: value for series in ALL if (value := _value(series, samples)) is not None}
    if not found:
        raise Unreadable("no_known_series")
    return found


def _ours(text: bytes) -> Iterator[bytes]:
    for line in text.split(b"\n"):
        name = line.partition(b"{")[0].split(None, 1)
        if name and name[0] in _NAMES:
            yield line.strip()


def _parsed(lines: Iterable[bytes]) -> dict[str, Samples]:
    found: dict[str, Samples] = {}
    try:
        for family in text_string_to_metric_families(b"\n".join(lines).decode()):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, float(sample.value)))
    except Exception as exc:
        # The parser raises whatever its code meets in a text that is none.
        raise Unreadable("unreadable") from exc
    return found


def _value(series: Series, samples: Mapping[str, Samples]) -> float | None:
    for source in series.sources:
        things = [_things(source, samples.get(name, ())) for name in source.names]
        if not all(things):
            continue
        values = [sum(of_name) for of_name in things]
        total = sum(values) * source.scale
        return total if series.together == "sum" else total / len(things[0])
    return None


def _things(source: Source, samples: Iterable[tuple[Mapping[str, str], float]]) -> list[float]:
    """A value for each engine or GPU that the samples speak of, without values that no server means."""
    found: dict[Any, float] = {}
    for number, (labels, value) in enumerate(samples):
        if not math.isfinite(value) or not 0 <= value <= source.most:
            continue
        if source.whole_without is not None and labels.get(source.whole_without):
            continue
        thing = tuple(labels.get(name) for name in source.apart) if source.apart else number
        found[thing] = max(value, found.get(thing, value))
    return list(found.values())
