"""How long a part takes, held against parts that are played through."""

import random
from collections.abc import Callable, Sequence

import pytest

from shared.benchmark.estimated_duration import duration_of
from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import Bursts, ClosedLoop, ConstantRate, Pace, PoissonRate, RampedLoop, SpreadLoop
from shared.benchmark.load.rate_profile import RateProfile
from shared.benchmark.load.stop import ForTime

LONGEST_S = 15.0


def played(phase: Phase, size: int, takes: Callable[[], float]) -> float:
    """When the last answer ends, if each request is sent as soon as it is due and there is room."""
    ends: list[float] = []
    rests: list[float] = []
    at_s = 0.0
    for _, due_ns in zip(range(size), phase.pace.due_ns(), strict=False):
        at_s = max(at_s, (due_ns or 0) / 1e9)
        changes = [at_s, *(step.from_ns / 1e9 for step in phase.pace.room()), *rests]
        at_s = min(at for at in changes if at >= at_s and sum(rest > at for rest in rests) < _room(phase, at))
        ends.append(at_s + takes())
        rests.append(ends[-1] + phase.pace.think_ns / 1e9)
    return max(ends)


def _room(phase: Phase, at_s: float) -> int:
    rooms: Sequence[int] = [step.in_flight for step in phase.pace.room() if step.from_ns / 1e9 <= at_s]
    return min(rooms[-1], phase.max_prefill or rooms[-1])


@pytest.mark.parametrize("size", [1, 2, 7, 60])
@pytest.mark.parametrize(
    "pace",
    [
        ClosedLoop(4),
        ClosedLoop(3, think_s=100),
        SpreadLoop(20, 600),
        SpreadLoop(5, 30, think_s=7),
        RampedLoop(1, 9, 200),
        RampedLoop(9, 2, 50, think_s=1),
        ConstantRate(0.5, 3),
        ConstantRate(0.01, 3),
        ConstantRate(RateProfile([(0, 0), (60, 2)]), 4),
        ConstantRate(RateProfile([(0, 2), (60, 0.1)]), 4),
        PoissonRate(0.3, 4, 1),
        Bursts(10, 400, 1),
    ],
)
@pytest.mark.parametrize("max_prefill", [None, 2])
def test_no_part_takes_longer_or_shorter_than_its_bounds(pace: Pace, size: int, max_prefill: int | None) -> None:
    phase, generator = Phase(pace, max_prefill=max_prefill), random.Random(size)
    low, high = duration_of(phase, size, LONGEST_S)
    assert high is not None
    longest = played(phase, size, lambda: LONGEST_S)
    assert longest <= high + 1e-6
    for _ in range(20):
        assert (low or 0) <= played(phase, size, lambda: generator.uniform(0, LONGEST_S)) <= high + 1e-6
    assert played(phase, size, lambda: 0) >= (low or 0) - 1e-6
    if not isinstance(pace, SpreadLoop | RampedLoop):
        assert longest == pytest.approx(high)


def test_a_loop_takes_at_least_its_rests() -> None:
    assert duration_of(Phase(ClosedLoop(1, think_s=100)), 10, LONGEST_S) == (900, 1_050)
    assert duration_of(Phase(ClosedLoop(1)), 10, LONGEST_S) == (None, 150)


def test_a_spread_first_wave_delays_the_last_stream() -> None:
    _, high = duration_of(Phase(SpreadLoop(100, 600)), 100, LONGEST_S)
    assert high is not None
    assert 100 < high < 200


def test_nobody_knows_how_long_conversations_take() -> None:
    phase = Phase(ClosedLoop(4))
    assert duration_of(phase, 40, LONGEST_S, has_turns=True) == (None, None)
    timed = Phase(ClosedLoop(4), stop=ForTime(60, 5))
    assert duration_of(timed, None, LONGEST_S, has_turns=True) == (60, 65)


def test_a_schedule_that_is_too_long_to_go_through_has_bounds_too() -> None:
    pace = ConstantRate(1_000, 100)
    low, high = duration_of(Phase(pace), 200_001, 0.05)
    assert low == pytest.approx(200, abs=0.01)
    assert high is not None
    assert high >= 200.05
