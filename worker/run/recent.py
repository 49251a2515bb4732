"""The results of the last seconds of a run, for its live numbers.

Numbers in arrays, not objects: a look at all of them takes less than a millisecond of the event loop, and the garbage
collector has nothing to visit.
"""

from array import array
from typing import TYPE_CHECKING

from shared.benchmark.results.observe import epoch_us
from shared.benchmark.results.record import ResultRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What counts as recent, and how many results of it are looked at.
RECENT_S = 10
MOST_RECENT = 5_000
_FAILED = ("errored", "timed_out", "truncated")
_UNKNOWN = float("nan")


class RecentResults:
    """The newest MOST_RECENT results. A new one takes the place of the oldest."""

    def __init__(self, metrics: tuple[str, ...]) -> None:
        """`metrics`: of succeeded results, beside `queue_ms`, which all have."""
        self._metrics = metrics
        self._columns = {name: array("d", bytes(8 * MOST_RECENT)) for name in ("queue_ms", *metrics)}
        # When each ended (µs since 1970), and whether it failed.
        self._ended_us = array("q", bytes(8 * MOST_RECENT))
        self._failed = array("b", bytes(MOST_RECENT))
        self._count = 0

    def clear(self) -> None:
        self._count = 0

    def add(self, record: ResultRecord) -> None:
        place = self._count % MOST_RECENT
        self._count += 1
        self._ended_us[place] = epoch_us(record.ended_at)
        self._failed[place] = record.outcome in _FAILED
        self._columns["queue_ms"][place] = record.metrics["queue_ms"] or 0.0
        for name in self._metrics:
            value = record.metrics[name] if record.outcome == "succeeded" else None
            self._columns[name][place] = _UNKNOWN if value is None else value

    def since(self, since_us: int) -> "Recent":
        """Those that ended at this time (µs since 1970) or later."""
        import numpy as np  # here, because it takes 0.1 s: a worker that starts loads it in the background

        kept = min(self._count, MOST_RECENT)
        ended_us = np.frombuffer(self._ended_us, dtype=np.int64, count=kept)
        is_recent = ended_us >= since_us
        values = {}
        for name, column in self._columns.items():
            found = np.frombuffer(column, dtype=np.float64, count=kept)[is_recent]
            values[name] = found[~np.isnan(found)]
        failed = np.frombuffer(self._failed, dtype=np.int8, count=kept)[is_recent]
        return Recent(ended_us[is_recent], int(failed.sum()), values)


class Recent:
    """Results of a time. `values`: the known ones of each metric, in its unit."""

    def __init__(self, ended_us: "NDArray[np.int64]", failed: int, values: "dict[str, NDArray[np.float64]]") -> None:
        self.count = len(ended_us)
        # When the first of them ended; None if there is none.
        self.first_us = int(ended_us.min()) if self.count else None
        self.failed = failed
        self.values = values
