"""Stop rules: when each ends a phase, and why."""

import heapq
import random

import pytest

from shared.benchmark.load.stop import AnyOf, ForTime, OnErrorRate, StopRule, Tally, WhenSaturated
from shared.benchmark.load.trend import MOST_INTERVALS, Trend


def test_a_rule_ends_nothing_unless_it_says_so() -> None:
    assert not StopRule().stops(Tally(1e9, {"errored": 1_000}))
    assert StopRule().reason(Tally(1e9, {"errored": 1_000})) is None
    assert Tally(1, {"errored": 2, "succeeded": 3}).ended == 5


def test_a_time_says_how_long_to_send_and_to_wait() -> None:
    rule = ForTime(1.5, grace_s=30)
    assert (rule.send_for_ns, rule.grace_ns) == (1_500_000_000, 30_000_000_000)
    assert ForTime(1.5).grace_ns is None
    assert [rule.reason(Tally(at_s)) for at_s in (1.4, 1.5)] == [None, "duration"]


def test_an_error_rate_counts_only_once_enough_requests_have_ended() -> None:
    rule = OnErrorRate.of_load(0.5, concurrency=4)
    assert rule.reason(Tally(1, {"errored": 9})) is None
    assert rule.reason(Tally(1, {"errored": 4, "timed_out": 1, "succeeded": 5})) == "error_rate"
    assert rule.reason(Tally(1, {"errored": 4, "succeeded": 6})) is None
    assert not OnErrorRate.of_load(0.5, concurrency=64).stops(Tally(1, {"errored": 63}))
    assert OnErrorRate.of_load(0.5, concurrency=64).stops(Tally(1, {"errored": 64}))


def test_what_we_cut_off_or_dropped_is_neither_an_error_nor_a_success() -> None:
    ours = {"cancelled": 50, "incomplete": 50, "dropped": 50}
    assert not OnErrorRate.of_load(0.5, concurrency=1).stops(Tally(1, {**ours, "errored": 9}))
    assert OnErrorRate.of_load(0.5, concurrency=1).stops(Tally(1, {**ours, "truncated": 10}))


def test_the_first_of_several_rules_ends_the_phase_with_its_reason() -> None:
    rule = AnyOf([ForTime(10, grace_s=3), OnErrorRate(0.5, 10)])
    assert (rule.send_for_ns, rule.grace_ns) == (10_000_000_000, 3_000_000_000)
    assert rule.reason(Tally(1, {"succeeded": 10})) is None
    assert rule.reason(Tally(1, {"errored": 10})) == "error_rate"
    assert rule.reason(Tally(10, {"succeeded": 10})) == "duration"
    assert AnyOf([OnErrorRate(0.5, 10)]).send_for_ns is None


def stopped_at_s(load: float, seed: int, *, after_s: float = 30, slots: int = 16, until_s: float = 300) -> float | None:
    """When the rule ends an open loop against a first-in-first-out queue with exponential service times of 0.5 s.

    `load`: the rate of the Poisson arrivals as a share of the capacity.
    """
    draw, free, at_s = random.Random(seed), [0.0] * slots, 0.0
    events: list[tuple[float, int, float]] = []
    while at_s < until_s:
        at_s += draw.expovariate(load * slots / 0.5)
        begin_s = max(at_s, heapq.heappop(free))
        end_s = begin_s + draw.expovariate(1 / 0.5)
        heapq.heappush(free, end_s)
        ttft_ms = (begin_s - at_s) * 1e3 + 50 * draw.lognormvariate(0, 0.3)
        events += [(at_s, 1, ttft_ms), (end_s, -1, ttft_ms)]
    in_flight, ttft, level, rule = Trend(), Trend(), 0, WhenSaturated(after_s=after_s)
    for at_s, change, ttft_ms in sorted(events):
        level += change
        if change < 0:
            in_flight.add(at_s, level + 1)
            ttft.add(at_s, ttft_ms)
            if rule.reason(Tally(at_s, {}, in_flight, ttft)) == "saturated":
                return at_s
    return None


@pytest.mark.parametrize("seed", range(10))
def test_a_load_above_the_capacity_is_found_saturated(seed: int) -> None:
    found_s = stopped_at_s(1.3, seed)
    assert found_s is not None
    assert 30 <= found_s <= 120
    assert 30 <= (stopped_at_s(2, seed) or 0) <= 45


@pytest.mark.parametrize("seed", range(10))
def test_a_load_below_the_capacity_is_not_found_saturated(seed: int) -> None:
    assert stopped_at_s(0.5, seed) is None
    assert stopped_at_s(0.8, seed) is None


def test_saturation_is_not_looked_for_before_its_time() -> None:
    assert (stopped_at_s(2, 1, after_s=90) or 0) >= 90
    assert WhenSaturated().reason(Tally(100)) is None, "without samples nothing is known"


def test_a_ramp_is_no_saturation() -> None:
    rule = AnyOf([ForTime(600), WhenSaturated(ramp_s=60)])
    in_flight, ttft = Trend(rule.trend_from_s), Trend(rule.trend_from_s)
    found = []
    for number in range(300):
        for trend in (in_flight, ttft):
            trend.add(number, min(number, 60) + (max(number - 120, 0)))
        found.append(rule.reason(Tally(number, {}, in_flight, ttft)))
    assert set(found[:120]) == {None}, "it rises to the end of the ramp and then stays"
    assert found[-1] == "saturated", "from second 120 on it rises again"


def trend_of(values: list[float]) -> Trend:
    trend = Trend()
    grows = False
    for second, value in enumerate(values):
        trend.add(second + 0.5, value)
        grows = trend.grows
    assert grows is trend.grows
    return trend


def test_a_line_grows_and_noise_and_a_plateau_do_not() -> None:
    draw = random.Random(1)
    assert trend_of([10.0 * second for second in range(60)]).grows
    assert trend_of([10.0 * second + draw.gauss(0, 50) for second in range(60)]).grows
    assert not trend_of([100 + draw.gauss(0, 50) for _ in range(60)]).grows
    assert not trend_of([100.0 * min(second, 10) + draw.gauss(0, 10) for second in range(60)]).grows
    assert not trend_of([600 - 10.0 * second for second in range(60)]).grows
    assert not trend_of([5.0] * 60).grows


def test_a_growth_that_is_significant_but_small_does_not_count() -> None:
    assert not trend_of([100 + 0.1 * second for second in range(60)]).grows


def test_a_growth_counts_only_if_it_lasts() -> None:
    assert not trend_of([10.0] * 30 + [10.0 + 20 * second for second in range(9)]).grows
    assert trend_of([10.0] * 30 + [10.0 + 20 * second for second in range(60)]).grows


def test_a_trend_of_a_long_phase_keeps_few_averages() -> None:
    trend = Trend()
    for number in range(200_000):
        trend.add(number / 10, float(number))
        if number % 1_000 == 0:
            assert len(trend._intervals) <= MOST_INTERVALS
            seen = trend.grows
    assert seen
    assert trend._interval_s == 256
