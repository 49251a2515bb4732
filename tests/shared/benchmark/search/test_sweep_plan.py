"""Which loads a sweep measures, how long, and when it sees that the server is saturated."""

from itertools import pairwise

import pytest

from shared.benchmark.load.plan import StageResult
from shared.benchmark.search.probe import Control, Extent, throughput_of
from shared.benchmark.search.sweep_plan import SweepPlan
from shared.benchmark.search.sweep_spec import SweepSpec
from tests.shared.benchmark.closed_server import ClosedServer, Measured, Served, probe_of, run, stage_of

SERVER = ClosedServer(slots=24)


def plan_of(**fields: object) -> SweepPlan:
    return SweepPlan(SweepSpec.model_validate(fields), stage_of)


def loads(done: list[StageResult]) -> list[object]:
    return [stage.label["concurrency"] for stage in done]


def test_each_load_is_measured_once_for_each_repeat() -> None:
    """The whole sweep is repeated, and a repeat is warmed up for half as long."""
    plan = plan_of(concurrency=[4, 1], requests=10, warmup_s=8, repeats=2)
    done = run(plan, SERVER, 1)
    assert [dict(stage.label) for stage in done] == [
        {"concurrency": 4},
        {"concurrency": 1},
        {"concurrency": 4, "repeat": 1},
        {"concurrency": 1, "repeat": 1},
    ]
    probes = [probe_of(stage) for number in (0, 2) if (stage := plan.next(done[:number]))]
    assert [probe.warmup for probe in probes] == [Extent(duration_s=8), Extent(duration_s=4)]
    assert [probe.measured for probe in probes] == [Extent(requests=10)] * 2
    assert plan.next(done) is None


def test_size_of_a_sweep() -> None:
    """Requests are known beforehand only if neither time nor saturation ends anything."""
    assert plan_of(concurrency=[1, 5], requests=10, warmup_s=0, repeats=2).planned_requests == 40
    # 8 streams need 16 requests at least.
    assert plan_of(concurrency=[1, 8], requests=10, warmup_s=0, repeats=2).planned_requests == 52
    assert plan_of(concurrency=[1, 8], requests=10).planned_requests is None
    assert plan_of(concurrency=[1, 8], duration_s=10).planned_requests is None
    assert plan_of(requests=10, warmup_s=0).planned_requests is None
    assert plan_of(concurrency=[1, 8, 2]).max_in_flight == 8


@pytest.mark.parametrize("seed", range(10))
def test_a_sweep_from_one_stream_finds_the_capacity(seed: int) -> None:
    """It ends two points behind the saturation, and its highest throughput is the server's within 10 %."""
    plan = plan_of(requests=400, warmup_s=0)
    done = run(plan, SERVER, seed)
    assert loads(done) == [1, 2, 4, 8, 16, 32, 64, 128]
    assert max(throughput_of(stage.results, "concurrency") for stage in done) == pytest.approx(SERVER.capacity, rel=0.1)
    assert plan.conclusion(done) == {
        "kind": "sweep",
        "control": "concurrency",
        "values": loads(done),
        "repeats": 1,
        "saturated_load": 128,
    }


@pytest.mark.parametrize("seed", range(10))
def test_fine_steps_are_not_taken_for_saturation(seed: int) -> None:
    """Below the saturation, two points with almost the same load differ by noise alone."""
    spec = {"concurrency": {"from": 2, "to": 20, "factor": 1.1}, "to_saturation": True}
    done = run(plan_of(**spec, requests=200, warmup_s=0), SERVER, seed)
    assert loads(done)[-1] == 20


def test_a_repeat_of_a_saturated_sweep_has_the_same_points() -> None:
    """What the first round found to be too much is not measured in the second."""
    plan = plan_of(requests=300, warmup_s=0, repeats=2)
    done = run(plan, ClosedServer(slots=3), 5)
    assert loads(done) == [1, 2, 4, 8, 16] * 2


def test_points_are_measured_to_the_end_unless_saturation_is_to_end_them() -> None:
    """A list is a list."""
    done = run(plan_of(concurrency=[2, 4, 8, 16, 32], requests=200), ClosedServer(slots=2), 5)
    assert loads(done) == [2, 4, 8, 16, 32]


@pytest.mark.parametrize(("ended_by", "failed"), [("saturated", 0), ("error_rate", 0), ("requests", 6)])
def test_a_point_that_breaks_down_ends_the_sweep(ended_by: str, failed: int) -> None:
    """A stop rule ended it, or most of its requests failed."""
    plan = plan_of()
    first = _result(0, 1, "requests", failed=0)
    broken = _result(1, 2, ended_by, failed=failed)
    assert plan.next([first]) is not None
    assert plan.next([first, broken]) is None
    conclusion = plan.conclusion([first, broken])
    assert conclusion is not None
    assert conclusion["saturated_load"] == 2


@pytest.mark.parametrize("ended_by", ["cancelled", "failed", "budget"])
@pytest.mark.parametrize("failed", [0, 10])
def test_what_ended_a_sweep_from_outside_is_no_saturation(ended_by: str, failed: int) -> None:
    """A point that was broken off says nothing about the server, whatever its requests came to until then."""
    plan = plan_of(concurrency=[1, 2, 4, 8], to_saturation=True)
    done = [_result(0, 1, "requests", failed=0), _result(1, 2, ended_by, failed=failed)]
    conclusion = plan.conclusion(done)
    assert conclusion is not None
    assert (conclusion["values"], conclusion["saturated_load"]) == ([1], None)


def test_nothing_came_to_an_end() -> None:
    """A point without any result is as bad as one that failed."""
    plan = plan_of()
    assert plan.next([StageResult(0, {"concurrency": 1}, "duration", Measured(1))]) is None


def test_rates_beyond_the_capacity_are_saturation_too() -> None:
    """Below it, throughput follows the rate; beyond it, it stays."""
    plan = plan_of(request_rate={"from": 1, "to": 64}, to_saturation=True)
    done: list[StageResult] = []
    while (stage := plan.next(done)) is not None:
        rate = probe_of(stage).value
        results = Measured(1_000)
        for number in range(100):
            results.fold(Served(number / rate, 0, number / min(rate, 10)), met=True)
        done.append(StageResult(stage.number, stage.label, "duration", results))
    assert [stage.label["request_rate"] for stage in done] == [1, 2, 4, 8, 16, 32, 64]
    assert all(before.number + 1 == after.number for before, after in pairwise(done))


@pytest.mark.parametrize("control", ["concurrency", "request_rate"])
def test_the_time_between_two_workers_is_no_load(control: Control) -> None:
    """A point of 40/s that a restart has split. Else it would look flat, and end a sweep to saturation too early."""
    results, part = Measured(4), Measured(4)
    for segment, measured, begin_s in ((1, results, 0), (2, part, 330)):
        for number in range(300):
            sent_us = round((begin_s + number // 4 * 0.1) * 1e6)
            measured.outcomes["succeeded"] += 1
            measured.activity.add_due(sent_us)
            measured.activity.add(sent_us, sent_us + 100_000, succeeded=True, segment=segment)
    results.merge(part)
    assert throughput_of(results, control) == pytest.approx(40)


def _result(number: int, load: int, ended_by: str, *, failed: int) -> StageResult:
    results = Measured(load)
    for index in range(10):
        results.fold(Served(index, index, index + 1 / load), met=True, succeeded=index >= failed)
    return StageResult(number, {"concurrency": load}, ended_by, results)
