"""What the samples of a time add up to. It keeps a few numbers for each series, however long the time is."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.observing.sample import Sample
from shared.observing.series import ALL, HIT_RATE, HITS, QUERIES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Total:
    __slots__ = ("count", "end", "most", "total")

    def __init__(self) -> None:
        self.count, self.total, self.most, self.end = 0, 0.0, 0.0, 0.0

    def add(self, value: float) -> None:
        self.most = value if not self.count else max(self.most, value)
        self.count += 1
        self.total += value
        self.end = value


class Observed:
    """Statistics of the samples from `begin_us` to `end_us`. Add them in their order of time."""

    def __init__(self, begin_us: int, end_us: int) -> None:
        self._begin_us, self._end_us = begin_us, end_us
        self._samples = 0
        self._failed: Counter[str] = Counter()
        self._series: dict[str, _Total] = {}

    def add(self, sample: Sample) -> None:
        if not self._begin_us <= sample.at_us <= self._end_us:
            return
        if not sample.values and not sample.failed:
            # It has only probes.
            return
        self._samples += 1
        self._failed.update(sample.failed)
        for name, value in sample.values.items():
            self._series.setdefault(name, _Total()).add(value)

    def document(self) -> dict[str, Any] | None:
        """As a summary has it; None without a sample."""
        if not self._samples:
            return None
        return {
            "begin_at": _instant(self._begin_us),
            "end_at": _instant(self._end_us),
            "samples": self._samples,
            "failures": dict(sorted(self._failed.items())),
            "series": {
                series.name: {
                    "unit": series.unit,
                    "mean": self._mean(series.name, found),
                    "max": found.most,
                    "end": found.end,
                    "samples": found.count,
                }
                for series in ALL
                if (found := self._series.get(series.name)) is not None
            },
        }

    def _mean(self, name: str, found: _Total) -> float:
        """Of the samples; for the hit rate, of the tokens, since a second of few tokens says little."""
        asked, hits = self._series.get(QUERIES), self._series.get(HITS)
        if name == HIT_RATE and asked is not None and hits is not None and asked.total:
            return min(hits.total / asked.total, 1.0)
        return found.total / found.count


def _instant(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")
