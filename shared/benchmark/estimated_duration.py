"""How long a part of a benchmark takes at least and at most, before it starts. `estimate.py` adds the parts up."""

import math
from collections.abc import Sequence
from itertools import accumulate, islice

from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import Pace

# The most requests of a schedule that are looked at one by one. Of a longer one, only when the last is due, on average.
_ONE_BY_ONE = 100_000
# No schedule is looked at beyond this: a run takes seven days at most.
_LONGEST_S = 8 * 86_400

# The least and the most, in s. None: not known.
Bounds = tuple[float | None, float | None]


def duration_of(phase: Phase, size: int | None, longest_s: float, *, has_turns: bool = False) -> Bounds:
    """`size`: how many requests it sends. `longest_s`: the most that one of them may take.

    `has_turns`: each of them may be a conversation, which takes nobody knows how long.
    """
    send_for_ns, grace_ns = phase.stop.send_for_ns, phase.stop.grace_ns
    low: float | None = None
    high: float | None = None
    if size:
        is_closed = phase.pace.expected(1) is None
        low, high = (_of_a_loop if is_closed else _of_a_schedule)(phase, size, longest_s)
    if has_turns:
        high = None
    if send_for_ns is not None:
        send_for_s = send_for_ns / 1e9
        # A closed loop without an end of its own sends until then.
        low = send_for_s if size is None else None if low is None else min(low, send_for_s)
        end_s = send_for_s + (longest_s if grace_ns is None else min(longest_s, grace_ns / 1e9))
        high = end_s if high is None else min(high, end_s)
    return low, high


def _of_a_loop(phase: Phase, size: int, longest_s: float) -> Bounds:
    """From each step of the room on, so many streams at least are busy or rest until the last request is sent."""
    steps, think_s = phase.pace.room(), phase.pace.think_ns / 1e9
    low = (math.ceil(size / phase.pace.max_in_flight) - 1) * think_s
    ends = [
        step.from_ns / 1e9 + (math.ceil(size / streams) - 1) * (longest_s + think_s) + longest_s
        for step, streams in zip(steps, _streams(phase), strict=True)
        if streams
    ]
    return low or None, min(ends, default=None)


def _of_a_schedule(phase: Phase, size: int, longest_s: float) -> Bounds:
    """A request waits for room until all of those before it but a few have ended. At most, each takes the longest."""
    streams = min(_streams(phase))
    if size > _ONE_BY_ONE:
        last_s = _mean_due_s(phase.pace, size)
        return last_s, last_s + math.ceil(size / streams) * longest_s
    due_s = [(due_ns or 0) / 1e9 for due_ns in islice(phase.pace.due_ns(), size)]
    sent_s: list[float] = []
    for number, at_s in enumerate(due_s):
        sent_s.append(at_s if number < streams else max(at_s, sent_s[number - streams] + longest_s))
    return due_s[-1], sent_s[-1] + longest_s


def _streams(phase: Phase) -> Sequence[int]:
    """For each step of the room, the fewest requests that may be in flight from then on."""
    rooms = [step.in_flight for step in phase.pace.room()]
    if phase.max_prefill is not None:
        rooms = [min(room, phase.max_prefill) for room in rooms]
    return list(accumulate(reversed(rooms), min))[::-1]


def _mean_due_s(pace: Pace, size: int) -> float:
    """When the last of `size` requests is due, on average."""
    # The first request is due at once, so the last one comes when one less than all are expected. Found by halving.
    low, high = 0.0, 1.0
    while (pace.expected(high) or 0) < size - 1 and high < _LONGEST_S:
        high *= 2
    while high - low > 1e-4:
        middle = (low + high) / 2
        if (pace.expected(middle) or 0) < size - 1:
            low = middle
        else:
            high = middle
    return high
