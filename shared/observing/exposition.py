"""Reads the text of a Prometheus endpoint: the values of our series in it. The text may be anything."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from shared.observing.series import ALL, METRICS, Series, Source, Thing

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


@dataclass(frozen=True, slots=True)
class Readings:
    """What a text says, by the name of the series: `values` of gauges, and `totals` of what each thing has counted."""

    values: Mapping[str, float]
    totals: Mapping[str, Mapping[Thing, float]]


def readings(text: bytes) -> Readings:
    """The series that the text has. A line that cannot be read is left out. Raises Unreadable if there is no other."""
    # Only our lines are parsed: a server has hundreds of others, and the parser is slow.
    lines = list(_ours(text))
    if len(lines) > MAX_SAMPLES:
        raise Unreadable("unreadable")
    readable = [line for line in lines if len(line) <= MAX_LINE_BYTES]
    samples, all_read = _parsed(readable)
    found = {series: things for series in ALL if (things := _things_of(series, samples))}
    if not found:
        raise Unreadable("no_known_series" if all_read and readable == lines else "unreadable")
    return Readings(
        {series.name: _together(series, things) for series, things in found.items() if not series.is_counter},
        {series.name: things for series, things in found.items() if series.is_counter},
    )


def _ours(text: bytes) -> Iterator[bytes]:
    for line in text.split(b"\n"):
        name = line.partition(b"{")[0].split(None, 1)
        if name and name[0] in _NAMES:
            yield line.strip()


def _parsed(lines: Sequence[bytes]) -> tuple[dict[str, Samples], bool]:
    """The samples by the name of their metric, and whether every line could be read."""
    try:
        return _samples(lines), True
    except Exception:  # noqa: BLE001 - the parser raises whatever its code meets in a text that is none
        if len(lines) <= 1:
            return {}, False
    found: dict[str, Samples] = {}
    for line in lines:
        for name, samples in _parsed([line])[0].items():
            found.setdefault(name, []).extend(samples)
    return found, False


def _samples(lines: Iterable[bytes]) -> dict[str, Samples]:
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(b"\n".join(lines).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, float(sample.value)))
    return found


def _things_of(series: Series, samples: Mapping[str, Samples]) -> dict[Thing, float]:
    """The value of each thing, from the first source that is there. Empty if none is."""
    for source in series.sources:
        things = [_things(source, name, samples.get(name, ())) for name in source.names]
        if all(things):
            return {thing: value * source.scale for of_name in things for thing, value in of_name.items()}
    return {}


def _things(source: Source, name: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> dict[Thing, float]:
    """A value for each engine or GPU that the samples speak of, without values that no server means."""
    found: dict[Thing, float] = {}
    for labels, value in samples:
        if not math.isfinite(value) or not 0 <= value <= source.most:
            continue
        if source.whole_without is not None and labels.get(source.whole_without):
            continue
        # A line that comes twice speaks of one thing.
        thing = (name, *(map(labels.get, source.apart) if source.apart else sorted(labels.items())))
        found[thing] = max(value, found.get(thing, value))
    return found


def _together(series: Series, things: Mapping[Thing, float]) -> float:
    total = sum(things.values())
    return total if series.together == "sum" else total / len(things)
