"""When each request of a trace is due: the window, and changes of its times."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from shared.benchmark.workload.trace_spec import TraceSource
from shared.workloads.rows import TraceRow


class TraceSchedule:
    """The requests of a trace in the order of their times. It takes 24 bytes for each row of the trace."""

    def __init__(self, rows: Iterable[TraceRow], source: TraceSource) -> None:
        """Requests with equal times keep the order of the file. `rows`: all of the trace."""
        at_ns = np.fromiter((row.at_ns for row in rows), dtype=np.int64)
        # Files are in the order of time with few exceptions.
        order = np.argsort(at_ns, kind="stable")
        at_ns = at_ns[order]
        if len(at_ns):
            at_ns = at_ns - at_ns[0]
        window = source.window
        if window is not None:
            begin = np.searchsorted(at_ns, round(window.from_s * 1e9))
            end = len(at_ns) if window.to_s is None else np.searchsorted(at_ns, round(window.to_s * 1e9))
            at_ns, self._numbers = at_ns[begin:end] - round(window.from_s * 1e9), order[begin:end]
        else:
            self._numbers = order
        times = at_ns.astype(np.float64)
        if source.spread:
            times = _spread(times, source.spread_step_s * 1e9)
        times = times * source.time_scale
        if source.max_gap_s is not None and len(times):
            gaps = np.diff(times, prepend=0.0)
            times = np.cumsum(np.minimum(gaps, source.max_gap_s * 1e9))
        self.due_ns: NDArray[np.int64] = np.rint(times).astype(np.int64)
        # Where each row of the trace comes; -1 for those outside the window.
        self._positions = np.full(len(order), -1, dtype=np.int64)
        self._positions[self._numbers] = np.arange(len(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, position: int) -> int:
        """The row of the request at this position, from 0."""
        return int(self._numbers[position])

    def position(self, number: int) -> int:
        """Where this row comes. Raises ValueError for one outside the window."""
        position = int(self._positions[number])
        if position < 0:
            raise ValueError(f"row {number} is outside the window")
        return position

    @property
    def span_s(self) -> float:
        """From the beginning to the last request."""
        return float(self.due_ns[-1]) / 1e9 if len(self) else 0.0


def _spread(times: NDArray[np.float64], most_ns: float) -> NDArray[np.float64]:
    """Request k of the n with one stamp moves by k/n of the time to the next stamp, or of `most_ns` if that is less."""
    stamps, first, counts = np.unique(times, return_index=True, return_counts=True)
    room = np.minimum(np.append(np.diff(stamps), most_ns), most_ns)
    within = np.arange(len(times)) - np.repeat(first, counts)
    moved: NDArray[np.float64] = times + within * np.repeat(room / counts, counts)
    return moved
