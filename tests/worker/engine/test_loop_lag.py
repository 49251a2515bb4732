"""How late a loop was weighs by time, however few samples a stalled loop takes."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from shared.numbers.digest import Digest
from shared.numbers.disturbance import Disturbance
from shared.numbers.lag import lag_percentile_ms
from worker.engine.child.cpu_share import CpuSampler
from worker.engine.child.loop_lag import LagSampler


class Timer:
    """A timer that is due at some time, until it is cancelled."""

    def __init__(self, at: float, callback: Callable[[], object]) -> None:
        self.at, self.callback, self.cancelled = at, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """A loop whose time a test moves. It has one timer."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timer: Timer | None = None

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, callback: Callable[..., object], *args: Any) -> Timer:
        self.timer = Timer(at, lambda: callback(*args))
        return self.timer

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer:
        return self.call_at(self.now + delay, callback, *args)

    def run_for(self, seconds: float) -> None:
        """An idle loop: each timer is called when it is due."""
        until = self.now + seconds
        while self.timer is not None and not self.timer.cancelled and self.timer.at <= until:
            self.now = self.timer.at
            self.timer.callback()
        self.now = until

    def stand_still(self, seconds: float) -> None:
        """The loop is blocked, then calls the timer that was due meanwhile."""
        self.now += seconds
        if self.timer is not None and self.timer.at <= self.now:
            self.timer.callback()

    @property
    def asyncio(self) -> asyncio.AbstractEventLoop:
        return cast(asyncio.AbstractEventLoop, self)


def grade_of(sampler: LagSampler, *, kernel: bool = True) -> str:
    seen = Disturbance("socket", requests=200, selector_stamped=0 if kernel else 200)
    seen.send_delays_ms = Digest([0.1] * 200)
    seen.observe_process(sampler.histogram, sampler.max_ns / 1e6, 0.1)
    verdict = seen.grade()
    assert verdict is not None
    return verdict[0]


def sampled(*, busy: Callable[[], bool] = lambda: True, stall_s: float, every_s: float, rounds: int = 40) -> LagSampler:
    loop, sampler = Loop(), LagSampler(busy)
    sampler.start(loop.asyncio)
    for _ in range(rounds):
        loop.run_for(every_s - stall_s)
        loop.stand_still(stall_s)
    sampler.stop()
    return sampler


def test_a_loop_that_stands_still_a_third_of_the_time_is_not_called_punctual() -> None:
    sampler = sampled(stall_s=0.5, every_s=1.5)
    assert lag_percentile_ms(sampler.histogram, 99) == pytest.approx(490, rel=0.06)
    assert lag_percentile_ms(sampler.histogram, 50) == 0
    assert (grade_of(sampler), grade_of(sampler, kernel=False)) == ("C", "D")


def test_the_histogram_holds_the_time_and_not_the_samples() -> None:
    """40 rounds of 1.5 s are 6,000 periods of 10 ms, a third of them late."""
    sampler = sampled(stall_s=0.5, every_s=1.5)
    assert sampler.histogram.total() == pytest.approx(6_000, rel=0.02)
    assert sampler.histogram[0] == pytest.approx(4_000, rel=0.02)


@pytest.mark.parametrize(("share", "grade"), [(0.02, "C"), (0.005, "A")])
def test_the_p99_sees_stalls_from_a_hundredth_of_the_time_on(share: float, grade: str) -> None:
    assert grade_of(sampled(stall_s=0.3, every_s=0.3 / share)) == grade


def test_an_idle_loop_is_punctual() -> None:
    sampler = sampled(stall_s=0.0005, every_s=1)
    assert (sampler.max_ns, set(sampler.histogram), grade_of(sampler)) == (0, {0}, "A")


def test_a_stall_while_nothing_is_in_flight_does_not_count() -> None:
    sampler = sampled(busy=lambda: False, stall_s=0.5, every_s=1.5)
    assert (sampler.histogram.total(), sampler.max_ns) == (0, 0)


def test_time_without_a_request_does_not_hide_the_stalls_of_the_time_with_one() -> None:
    """A request each 100 s that lasts 0.5 s, during which the loop stands still: half a hundredth of the run."""
    loop, busy = Loop(), False
    sampler = LagSampler(lambda: busy)
    sampler.start(loop.asyncio)
    for _ in range(10):
        loop.run_for(99.5)
        busy = True
        loop.stand_still(0.5)
        busy = False
    assert (lag_percentile_ms(sampler.histogram, 99) or 0) > 400


def test_a_sampler_that_was_stopped_takes_no_more_samples() -> None:
    loop, sampler = Loop(), LagSampler(lambda: True)
    sampler.start(loop.asyncio)
    loop.run_for(0.1)
    taken = sampler.histogram.total()
    sampler.stop()
    loop.run_for(10)
    assert sampler.histogram.total() == taken > 0


def cpu_share(*seconds: float, last_s: float = 0) -> float | None:
    """Of a process that uses these shares of a core, second by second, and then runs idle for `last_s`."""
    loop, used_s = Loop(), 0.0
    sampler = CpuSampler(lambda: round(loop.now * 1e9), lambda: round(used_s * 1e9))
    sampler.start(loop.asyncio)
    for share in seconds:
        for _ in range(10):
            used_s += share * 0.1
            loop.run_for(0.1)
    loop.run_for(last_s)
    sampler.stop()
    return sampler.busiest


def test_the_share_of_cpu_is_that_of_the_busiest_second() -> None:
    """The average of the run is 0.12."""
    assert cpu_share(*[0.1] * 30, 0.97, *[0.1] * 30) == pytest.approx(0.97, abs=0.03)


def test_the_busiest_second_may_begin_at_any_time() -> None:
    loop, used_s = Loop(), 0.0
    sampler = CpuSampler(lambda: round(loop.now * 1e9), lambda: round(used_s * 1e9))
    sampler.start(loop.asyncio)
    for tenth in range(100):
        used_s += 0.1 if 45 <= tenth < 55 else 0
        loop.run_for(0.1)
    sampler.stop()
    assert sampler.busiest == pytest.approx(1.0, abs=0.11)


def test_a_run_of_less_than_a_second_has_its_average() -> None:
    loop, used_s = Loop(), 0.0
    sampler = CpuSampler(lambda: round(loop.now * 1e9), lambda: round(used_s * 1e9))
    assert sampler.busiest is None
    sampler.start(loop.asyncio)
    used_s = 0.15
    loop.run_for(0.3)
    sampler.stop()
    assert sampler.busiest == pytest.approx(0.5)


def test_helper_threads_do_not_make_more_than_a_core() -> None:
    assert cpu_share(1.7) == 1.0
