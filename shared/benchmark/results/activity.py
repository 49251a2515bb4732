"""When a run's requests were in flight: duration, peak, rate and steady window, from series that merge."""

import heapq
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shared.benchmark.results.measured_spans import MeasuredSpans
from shared.numbers.time_series import TimeSeries

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SteadyWindow(NamedTuple):
    """The part of a run without ramp-up and tail, in µs."""

    begin_us: int
    end_us: int


class Activity:
    """Times are microseconds since the epoch. `wave`: how many requests are sent at first (the concurrency)."""

    def __init__(self, wave: int) -> None:
        self._wave = wave
        self.sent = TimeSeries()
        self.ended = TimeSeries(1)
        self.succeeded = TimeSeries(2)
        # Requests that a cancel or the end of the run cut off. They were in flight, but no statistic counts them.
        self.cancelled_sent = TimeSeries()
        self.cancelled_ended = TimeSeries()
        self.first_sent_us: int | None = None
        self.last_sent_us: int | None = None
        self.last_end_us: int | None = None
        self.spans = MeasuredSpans()
        # When the first and the last request were due, dropped ones included.
        self.first_due_us: int | None = None
        self.last_due_us: int | None = None
        # The first wave, that is, the requests that were sent first: a heap of (-sent, -ended), the latest on top.
        self._first: list[tuple[int, int]] = []
        # Ends that are not before the last send, earliest first.
        self._tail: list[int] = []

    def add(self, sent_us: int, ended_us: int, *, succeeded: bool, segment: int | None = None) -> None:
        """One request that was in flight from `sent_us` to `ended_us`. `segment`: the fence of the one that sent it."""
        self.sent.add(sent_us)
        self.ended.add(ended_us)
        if succeeded:
            self.succeeded.add(ended_us)
        self._see(sent_us, sent_us, ended_us)
        self.spans.see(segment, sent_us, ended_us)
        self._in_wave(-sent_us, -ended_us)
        self._in_tail(ended_us)

    def add_cut_off(self, sent_us: int, ended_us: int) -> None:
        """One request that a cancel or the end of the run cut off. It counts as sent and in flight, no more."""
        self.cancelled_sent.add(sent_us)
        self.cancelled_ended.add(ended_us)

    def add_due(self, due_us: int) -> None:
        """The time when a request was due, whether it was sent or dropped."""
        self._see_due(due_us, due_us)

    def merge(self, other: "Activity") -> None:
        """Adds another part of the same run."""
        for ours, theirs in (
            (self.sent, other.sent),
            (self.ended, other.ended),
            (self.succeeded, other.succeeded),
            (self.cancelled_sent, other.cancelled_sent),
            (self.cancelled_ended, other.cancelled_ended),
        ):
            ours.merge(theirs)
        if other.first_sent_us is not None and other.last_sent_us is not None and other.last_end_us is not None:
            self._see(other.first_sent_us, other.last_sent_us, other.last_end_us)
        if other.first_due_us is not None and other.last_due_us is not None:
            self._see_due(other.first_due_us, other.last_due_us)
        self.spans.merge(other.spans)
        for item in other._first:
            self._in_wave(*item)
        for ended_us in other._tail:
            self._in_tail(ended_us)

    @property
    def duration_s(self) -> float | None:
        """Seconds from the first send to the last end; None if nothing ended or no time passed."""
        if self.first_sent_us is None or self.last_end_us is None:
            return None
        return (self.last_end_us - self.first_sent_us) / 1e6 or None

    @property
    def is_resumed(self) -> bool:
        """Whether a worker went on with what another one had begun to measure."""
        return self.spans.count > 1

    @property
    def active_s(self) -> float | None:
        """Seconds in which workers measured: from the first send to the last end of each segment. None as `duration_s`.

        If the segments are not known, only the time in which a request was in flight.
        """
        return (self.spans.seconds or None) if self.spans.are_known else self.busy_s

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The times of the first send and of the last end; None if nothing ended."""
        if self.first_sent_us is None or self.last_end_us is None:
            return None
        return _EPOCH + timedelta(microseconds=self.first_sent_us), _EPOCH + timedelta(microseconds=self.last_end_us)

    def levels(self) -> list[tuple[int, int]]:
        """Steps of (time in µs, requests in flight from then on), without cancelled requests."""
        return _levels([self.sent], [self.ended])

    @property
    def sends(self) -> tuple[int, int | None, int | None]:
        """How many requests were sent, and when the first and the last; None if none was. Cut-off ones count too.

        When those were sent is known in steps.
        """
        cut_off = [at_us for at_us, _ in self.cancelled_sent.steps()]
        times = [at_us for at_us in (self.first_sent_us, self.last_sent_us, *cut_off) if at_us is not None]
        count = self.sent.total + self.cancelled_sent.total
        return count, min(times, default=None), max(times, default=None)

    @property
    def peak(self) -> int:
        """The most requests in flight at the same time, cut-off ones included."""
        return max((level for _, level in self._all_levels()), default=0)

    @property
    def mean(self) -> float | None:
        """Mean number of requests in flight from the first send to the last end; None if no time passed."""
        if self.first_sent_us is None or self.last_end_us is None:
            return None
        return self.mean_within(self.first_sent_us, self.last_end_us)

    def mean_within(self, begin_us: int, end_us: int) -> float | None:
        """Mean over this time, cut-off requests included: each moment has equal weight. None if no time passed."""
        if end_us <= begin_us:
            return None
        in_flight, before_us, sum_us = 0, begin_us, 0
        for at_us, level in self._all_levels():
            now_us = min(max(at_us, begin_us), end_us)
            sum_us += in_flight * (now_us - before_us)
            in_flight, before_us = level, now_us
        return (sum_us + in_flight * (end_us - before_us)) / (end_us - begin_us)

    def _all_levels(self) -> list[tuple[int, int]]:
        return _levels([self.sent, self.cancelled_sent], [self.ended, self.cancelled_ended])

    @property
    def busy_s(self) -> float | None:
        """Seconds in which at least one request was in flight; None if there were none."""
        busy_us, since_us = 0, None
        for at_us, level in self.levels():
            if level > 0 and since_us is None:
                since_us = at_us
            elif level <= 0 and since_us is not None:
                busy_us, since_us = busy_us + at_us - since_us, None
        return busy_us / 1e6 or None

    def closed_window(self, ramp_us: int = 0) -> SteadyWindow | None:
        """Of a closed loop: from the end of the first wave and of the ramp to the first end after the last send.

        None if there was only one wave, or if the window is empty.
        """
        if self.sent.total <= self._wave or not self._tail or self.first_sent_us is None:
            return None
        first_wave_us = max(-ended for _, ended in self._first)
        return _window(max(first_wave_us, self.first_sent_us + ramp_us), self._tail[0])

    def open_window(self, ramp_us: int = 0) -> SteadyWindow | None:
        """Of an open loop: from the end of the ramp to the time when the last request was due. None if it is empty."""
        if self.first_due_us is None or self.last_due_us is None:
            return None
        return _window(self.first_due_us + ramp_us, self.last_due_us)

    def document(self) -> dict[str, Any]:
        """As JSON; `Activity.load` reads it."""
        return {
            "wave": self._wave,
            "sent": self.sent.document(),
            "ended": self.ended.document(),
            "succeeded": self.succeeded.document(),
            "cancelled": [self.cancelled_sent.document(), self.cancelled_ended.document()],
            "span": [self.first_sent_us, self.last_sent_us, self.last_end_us],
            "spans": self.spans.document(),
            "due": [self.first_due_us, self.last_due_us],
            "first": self._first,
            "tail": self._tail,
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> "Activity":
        activity = cls(document["wave"])
        activity.sent = TimeSeries.load(document["sent"])
        activity.ended = TimeSeries.load(document["ended"])
        activity.succeeded = TimeSeries.load(document["succeeded"])
        if "cancelled" in document:  # versions before did not have it
            sent, ended = document["cancelled"]
            activity.cancelled_sent, activity.cancelled_ended = TimeSeries.load(sent), TimeSeries.load(ended)
        activity.first_sent_us, activity.last_sent_us, activity.last_end_us = document["span"]
        if "spans" in document:
            activity.spans = MeasuredSpans.load(document["spans"])
        elif activity.first_sent_us is not None and activity.last_end_us is not None:
            # Versions before did not store who had measured.
            activity.spans.see(None, activity.first_sent_us, activity.last_end_us)
        # Versions before did not store when requests were due, but when they were sent.
        activity.first_due_us, activity.last_due_us = document.get("due", document["span"][:2])
        activity._first = [(sent, ended) for sent, ended in document["first"]]
        activity._tail = list(document["tail"])
        return activity

    def _see(self, first_us: int, last_us: int, end_us: int) -> None:
        self.first_sent_us = first_us if self.first_sent_us is None else min(self.first_sent_us, first_us)
        self.last_end_us = end_us if self.last_end_us is None else max(self.last_end_us, end_us)
        if self.last_sent_us is None or last_us > self.last_sent_us:
            self.last_sent_us = last_us
            while self._tail and self._tail[0] < last_us:
                heapq.heappop(self._tail)

    def _see_due(self, first_us: int, last_us: int) -> None:
        self.first_due_us = first_us if self.first_due_us is None else min(self.first_due_us, first_us)
        self.last_due_us = last_us if self.last_due_us is None else max(self.last_due_us, last_us)

    def _in_wave(self, minus_sent: int, minus_ended: int) -> None:
        if len(self._first) < self._wave:
            heapq.heappush(self._first, (minus_sent, minus_ended))
        else:
            heapq.heappushpop(self._first, (minus_sent, minus_ended))

    def _in_tail(self, ended_us: int) -> None:
        if self.last_sent_us is not None and ended_us >= self.last_sent_us:
            heapq.heappush(self._tail, ended_us)


def _window(begin_us: int, end_us: int) -> SteadyWindow | None:
    return SteadyWindow(begin_us, end_us) if end_us > begin_us else None


def _levels(sent: Sequence[TimeSeries], ended: Sequence[TimeSeries]) -> list[tuple[int, int]]:
    """Steps of (time in µs, requests in flight from then on). At the same time, ends count before sends."""
    step_us = max(series.step_us for series in (*sent, *ended))
    edges = [(at_us, -count) for series in ended for at_us, count in series.steps(step_us)]
    edges += [(at_us, count) for series in sent for at_us, count in series.steps(step_us)]
    level, levels = 0, []
    for at_us, change in sorted(edges):
        level += change
        levels.append((at_us, level))
    return levels
