"""What a `load` becomes: stages with paces, ends, warm-ups and places."""

from itertools import islice
from typing import Any

import pytest

from shared.benchmark.load.pace import (
    Bursts,
    ClosedLoop,
    ConstantRate,
    GammaRate,
    PoissonRate,
    RampedLoop,
    Room,
    SpreadLoop,
)
from shared.benchmark.load.places import PLACES_A_PART, place_at
from shared.benchmark.load.plan import FixedPlan, Plan, Stage
from shared.benchmark.load.plans import plan_of
from shared.benchmark.load.stop import Tally
from shared.benchmark.search.search_plan import SearchPlan
from shared.benchmark.search.sweep_plan import SweepPlan
from shared.benchmark.spec import BenchmarkSpec


def plan(load: dict[str, Any], **changes: Any) -> Plan:
    fields = {"name": "x", "model": "m", "prompts": ["a", "b"], "repetitions": 3, "load": load, **changes}
    return plan_of(BenchmarkSpec.model_validate(fields).with_defaults())


def stages(load: dict[str, Any], **changes: Any) -> list[Stage]:
    made = plan(load, **changes)
    assert isinstance(made, FixedPlan)
    return list(made.stages)


def due(stage: Stage, count: int = 20) -> list[int | None]:
    return list(islice(stage.measured.pace.due_ns(), count))


def test_a_closed_loop_ends_after_the_listed_requests() -> None:
    (stage,) = stages({"concurrency": 4, "max_prefill": 2})
    phase = stage.measured
    assert isinstance(phase.pace, ClosedLoop)
    assert (phase.first, phase.end) == (place_at(0, 0), place_at(0, 0) + 6)
    assert (phase.stop.send_for_ns, phase.max_prefill, phase.drop_after_ns, stage.warmup) == (None, 2, None, None)
    assert stage.label == {}
    assert plan({"concurrency": 4}).planned_requests == 6


@pytest.mark.parametrize(
    ("load", "pace"),
    [
        ({"concurrency": 4}, ClosedLoop),
        ({"concurrency": 4, "first_wave": "spread", "first_wave_s": 2}, SpreadLoop),
        ({"concurrency": 4, "ramp": {"from": 1, "over_s": 2}}, RampedLoop),
        ({"request_rate": 4}, ConstantRate),
        ({"request_rate": 4, "arrival": "poisson"}, PoissonRate),
        ({"request_rate": 4, "arrival": "gamma", "burstiness": 0.5}, GammaRate),
        ({"rate_series": [[0, 1], [5, 10]], "arrival": "poisson"}, PoissonRate),
        ({"burst": {"requests": 3, "every_s": 2}}, Bursts),
    ],
)
def test_each_control_has_its_pace(load: dict[str, Any], pace: type) -> None:
    (stage,) = stages(load)
    assert type(stage.measured.pace) is pace


def test_the_fields_of_a_load_reach_its_pace() -> None:
    (closed,) = stages({"concurrency": 3, "ramp": {"from": 1, "over_s": 2}, "think_time_s": 0.5})
    assert list(closed.measured.pace.room()) == [Room(0, 1), Room(10**9, 2), Room(2 * 10**9, 3)]
    assert closed.measured.pace.think_ns == 500_000_000
    (rate,) = stages({"request_rate": 10, "ramp": {"from": 0, "over_s": 2}, "max_concurrency": 7, "drop_after_s": 1.5})
    assert due(rate)[10] == 2 * 10**9, "on average the ramp has half of the rate"
    assert (rate.measured.pace.max_in_flight, rate.measured.drop_after_ns) == (7, 1_500_000_000)
    (burst,) = stages({"burst": {"requests": 2, "every_s": 3}})
    assert due(burst, 5) == [0, 0, 3 * 10**9, 3 * 10**9, 6 * 10**9]
    (even,) = stages({"request_rate": 10, "arrival": "gamma", "burstiness": 4, "seed": 3})
    assert due(even) == list(islice(GammaRate(10, 6, 4, (3, 1)).due_ns(), 20))


def test_a_time_ends_a_phase_after_its_grace() -> None:
    (stage,) = stages({"concurrency": 3, "duration_s": 60, "grace_s": 5})
    assert (stage.measured.stop.send_for_ns, stage.measured.stop.grace_ns) == (60 * 10**9, 5 * 10**9)
    assert stage.measured.end == place_at(0, 0) + PLACES_A_PART
    (both,) = stages({"concurrency": 3, "duration_s": 60, "requests": 50})
    assert (both.measured.stop.grace_ns, both.measured.end) == (30 * 10**9, place_at(0, 0) + 50)
    (series,) = stages({"rate_series": [[0, 5], [40, 5]]})
    assert series.measured.stop.send_for_ns == 40 * 10**9


@pytest.mark.parametrize(
    "rule",
    [{"concurrency": 2, "stop_on_error_rate": 0.5}, {"request_rate": 5, "stop_when_saturated": True}],
)
def test_a_rule_ends_a_phase_with_the_same_grace(rule: dict[str, Any]) -> None:
    (plain,), (own,) = stages({**rule, "requests": 50}), stages({**rule, "requests": 50, "grace_s": 3})
    assert (plain.measured.stop.grace_ns, own.measured.stop.grace_ns) == (30 * 10**9, 3 * 10**9)
    staged = {"stages": [{"concurrency": 2}, {"concurrency": 3, "stop_on_error_rate": 0.1}], "stop_on_error_rate": 0.5}
    assert [stage.measured.stop.grace_ns for stage in stages({**staged, "grace_s": 3})] == [3 * 10**9] * 2


def test_rules_end_a_phase_by_what_it_has_seen() -> None:
    (stage,) = stages({"concurrency": 30, "duration_s": 60, "stop_on_error_rate": 0.5})
    stop = stage.measured.stop
    assert stop.reason(Tally(1, {"errored": 29})) is None
    assert stop.reason(Tally(1, {"errored": 30})) == "error_rate"
    assert stop.send_for_ns == 60 * 10**9
    ramp = {"request_rate": 30, "ramp": {"from": 1, "over_s": 20}}
    (rising,) = stages({**ramp, "stop_when_saturated": True})
    assert rising.measured.stop.trend_from_s == 20
    (plain,) = stages({**ramp, "stop_when_saturated": False})
    assert plain.measured.stop.trend_from_s == 0


def test_a_warm_up_is_a_phase_with_its_own_load_and_places() -> None:
    poisson = {"request_rate": 5, "arrival": "poisson", "seed": 7}
    (stage,) = stages({**poisson, "warmup": {"requests": 10, "concurrency": 2}})
    assert stage.warmup is not None
    assert isinstance(stage.warmup.pace, ClosedLoop)
    assert (stage.warmup.first, stage.warmup.end) == (place_at(0, 0, warmup=True), place_at(0, 10, warmup=True))
    (own,) = stages({**poisson, "warmup": {"duration_s": 10}})
    assert own.warmup is not None
    assert (own.warmup.stop.send_for_ns, own.warmup.stop.grace_ns) == (10 * 10**9, 30 * 10**9)
    assert list(islice(own.warmup.pace.due_ns(), 1, 9)) != due(own, 9)[1:], "each part draws a schedule of its own"


def test_stages_have_labels_places_and_schedules_of_their_own() -> None:
    poisson = {"request_rate": 5, "arrival": "poisson", "requests": 10}
    series = {"rate_series": [[0, 5], [9, 1]], "name": "tide"}
    made = stages({"stages": [{**poisson, "name": "calm"}, poisson, {"concurrency": 3}, series], "seed": 2})
    assert [stage.label for stage in made] == [
        {"name": "calm", "request_rate": 5},
        {"request_rate": 5},
        {"concurrency": 3},
        {"name": "tide", "rate_series": True},
    ]
    assert [(stage.number, stage.measured.first) for stage in made] == [(n, place_at(n, 0)) for n in range(4)]
    assert due(made[0])[1:] != due(made[1])[1:]
    again = stages({"stages": [{**poisson, "name": "calm"}, poisson, {"concurrency": 3}, series], "seed": 2})
    assert [due(stage) for stage in again] == [due(stage) for stage in made]
    other = stages({"stages": [poisson, poisson], "seed": 3})
    assert due(other[0])[1:] != due(made[0])[1:]


def test_seamless_stages_are_one_part_with_boundaries() -> None:
    low = {"request_rate": 1, "duration_s": 3}
    high = {"request_rate": 4, "duration_s": 1, "name": "peak", "arrival": "constant"}
    (stage,) = stages({"stages": [low, high, low], "transition": "seamless", "max_prefill": 4, "drop_after_s": 2})
    phase = stage.measured
    assert [at / 1e9 for at in phase.pace.due_ns() if at is not None] == [0, 1, 2, 3, 3.25, 3.5, 3.75, 4, 5, 6]
    assert list(phase.boundaries_ns) == [3 * 10**9, 4 * 10**9, 7 * 10**9]
    assert (phase.stop.send_for_ns, phase.stop.grace_ns) == (7 * 10**9, 30 * 10**9)
    assert (phase.max_prefill, phase.drop_after_ns) == (4, 2 * 10**9)
    assert stage.label == {"stages": [{"request_rate": 1}, {"name": "peak", "request_rate": 4}, {"request_rate": 1}]}


def test_seamless_random_stages_draw_gaps_of_their_own() -> None:
    poisson = {"request_rate": 50, "duration_s": 10, "arrival": "poisson"}
    (stage,) = stages({"stages": [poisson, poisson], "transition": "seamless", "seed": 5})
    times = [at for at in stage.measured.pace.due_ns() if at is not None]
    second = [at - 10**10 for at in times if at >= 10**10]
    assert second[0] > 0
    assert second != times[: len(second)]
    assert len(times) == pytest.approx(1_000, abs=130)


def test_a_sweep_makes_a_stage_of_each_point_with_the_limits_beside_it() -> None:
    made = plan({"sweep": {"request_rate": [2, 4], "duration_s": 5}, "arrival": "poisson", "max_concurrency": 9})
    assert isinstance(made, SweepPlan)
    stage = made.next([])
    assert stage is not None
    assert isinstance(stage.measured.pace, PoissonRate)
    assert (stage.measured.pace.rate, stage.measured.pace.max_in_flight, made.max_in_flight) == (2, 9, 9)
    assert (stage.measured.stop.send_for_ns, stage.label) == (5 * 10**9, {"request_rate": 2})
    assert stage.warmup is not None
    assert (stage.warmup.first, stage.warmup.stop.send_for_ns) == (place_at(0, 0, warmup=True), 10 * 10**9)


def test_a_search_probes_closed_loops() -> None:
    made = plan({"search": {"start": 3, "max": 50}, "stop_on_error_rate": 0.5}, slos={"ttft_ms": 500})
    assert isinstance(made, SearchPlan)
    stage = made.next([])
    assert stage is not None
    assert isinstance(stage.measured.pace, ClosedLoop)
    assert (stage.measured.pace.max_in_flight, made.max_in_flight) == (3, 50)
    assert stage.measured.end == place_at(0, 150)
    assert stage.measured.stop.reason(Tally(1, {"errored": 10})) == "error_rate"
