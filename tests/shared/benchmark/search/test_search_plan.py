"""How a search goes on after each probe, what it answers, and that it finds the true limit of a server."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from shared.benchmark.load.plan import StageResult
from shared.benchmark.search.probe import Extent
from shared.benchmark.search.search_plan import SearchPlan
from shared.benchmark.search.search_spec import SearchSpec
from tests.shared.benchmark.closed_server import ClosedServer, Measured, probe_of, run, stage_of

TARGET = 0.95
TTFT_S = 0.25


def plan_of(**fields: Any) -> SearchPlan:
    return SearchPlan(SearchSpec.model_validate(fields), TARGET, stage_of)


class Script:
    """Runs a plan against made-up attainments: load → (met, attempted) of each of its probes, in turn."""

    def __init__(
        self, plan: SearchPlan, shares: dict[int, list[tuple[int, int] | str]], sustained: list[float]
    ) -> None:
        self.done: list[StageResult] = []
        turns = {load: iter(items) for load, items in shares.items()}
        hold = iter(sustained)
        while (stage := plan.next(self.done)) is not None:
            load = stage.label["concurrency"]
            assert isinstance(load, int)
            assert stage.number == len(self.done)
            results, ended_by = Measured(load), "requests"
            if stage.label.get("sustain"):
                results.set_slo(round(1_000 * next(hold)), 1_000)
            elif (item := next(turns[load])) == "late":
                results.set_slo(15, 150)
                results.be_doubtful(9, 150)
            elif isinstance(item, str):
                ended_by = item
                results.set_slo(0, 100)
            else:
                results.set_slo(*item)
            self.done.append(StageResult(stage.number, stage.label, ended_by, results))
        conclusion = plan.conclusion(self.done)
        assert conclusion is not None
        self.conclusion = conclusion

    @property
    def loads(self) -> list[object]:
        return [stage.label["concurrency"] for stage in self.done]


GOOD, BAD, SLIGHT_MISS = (150, 150), (15, 150), (120, 150)


def test_it_doubles_and_then_bisects() -> None:
    """Until the lowest load that fails is at most a tenth above the highest that passes; then the load is sustained."""
    script = Script(
        plan_of(),
        {load: [GOOD] for load in (4, 8, 16, 24, 28, 30)} | {32: [SLIGHT_MISS]},
        [1.0],
    )
    assert script.loads == [4, 8, 16, 32, 24, 28, 30, 30]
    answer = script.conclusion
    assert (answer["status"], answer["concurrency"], answer["is_sustained"]) == ("converged", 30, True)
    assert (answer["highest_passing"], answer["lowest_failing"], answer["flags"]) == (30, 32, [])
    assert len(answer["probes"]) == 7
    assert answer["probes"][3]["attainment"] == 0.8
    assert answer["probes"][3]["attainment_ci95"] == pytest.approx([0.7289, 0.8562], abs=1e-4)


def test_a_fall_to_less_than_half_is_a_cliff() -> None:
    """The next load up does not just miss the target, it breaks down."""
    script = Script(plan_of(sustain_s=0), {4: [GOOD], 8: [BAD], 6: [GOOD], 7: [BAD]}, [])
    assert script.loads == [4, 8, 6, 7]
    assert script.conclusion["flags"] == ["cliff"]
    assert script.conclusion["is_sustained"] is None


def test_the_start_may_be_too_high() -> None:
    """Then the search goes down by halves before it bisects."""
    script = Script(plan_of(start=16, sustain_s=0), {16: [BAD], 8: [BAD], 4: [GOOD], 6: [GOOD], 7: [BAD]}, [])
    assert script.loads == [16, 8, 4, 6, 7]
    assert (script.conclusion["status"], script.conclusion["concurrency"]) == ("converged", 6)


def test_unmet_at_the_minimum() -> None:
    """No load passes: there is no answer, and nothing to sustain."""
    script = Script(plan_of(), {4: [BAD], 2: [BAD], 1: [BAD]}, [])
    assert script.loads == [4, 2, 1]
    assert (script.conclusion["status"], script.conclusion["concurrency"]) == ("unmet_at_minimum", None)


def test_still_met_at_the_maximum() -> None:
    """The answer is a lower bound."""
    script = Script(plan_of(max=20), {4: [GOOD], 8: [GOOD], 16: [GOOD], 20: [GOOD]}, [0.97])
    assert script.loads == [4, 8, 16, 20, 20]
    assert (script.conclusion["status"], script.conclusion["concurrency"]) == ("met_at_maximum", 20)


def test_an_unresolved_probe_is_repeated_with_twice_as_many_requests() -> None:
    """Until all its requests together are on one side of the target."""
    plan = plan_of(sustain_s=0, warmup_s=8)
    script = Script(plan, {4: [GOOD], 8: [(140, 150), (250, 300)], 6: [GOOD], 7: [GOOD]}, [])
    assert script.loads == [4, 8, 8, 6, 7]
    assert (script.conclusion["status"], script.conclusion["lowest_failing"]) == ("converged", 8)
    assert [probe["resolved"] for probe in script.conclusion["probes"]] == [True, False, True, True, True]
    probes = [probe_of(stage) for number in (1, 2) if (stage := plan.next(script.done[:number]))]
    assert [probe.measured for probe in probes] == [Extent(requests=150), Extent(requests=300)]
    assert [probe.warmup for probe in probes] == [Extent(duration_s=8), Extent(duration_s=4)]


def test_a_limit_that_no_number_of_requests_resolves_is_indeterminate() -> None:
    """Repeats are bounded. The answer is then the best estimate, and the status says that it is not sure."""
    close = [(143, 150), (286, 300), (571, 600)]
    script = Script(plan_of(sustain_s=0), {4: [GOOD], 8: list(close), 16: [BAD], 12: [BAD], 10: [BAD], 9: [BAD]}, [])
    assert script.loads == [4, 8, 8, 8, 16, 12, 10, 9]
    assert (script.conclusion["status"], script.conclusion["concurrency"]) == ("indeterminate", 8)
    assert "concurrency 8" in script.conclusion["reason"]


def test_aborted_probes_bound_nothing() -> None:
    """A load whose probes are broken off is tried twice, and then avoided. It is no proof of anything."""
    aborted = Script(plan_of(sustain_s=0), {4: [GOOD], 8: ["error_rate", "saturated"], 6: [GOOD], 7: [GOOD]}, [])
    assert aborted.loads == [4, 8, 8, 6, 7]
    assert (aborted.conclusion["status"], aborted.conclusion["concurrency"]) == ("indeterminate", 7)
    assert (aborted.conclusion["lowest_failing"], aborted.conclusion["probes"][1]["aborted"]) == (None, True)
    bad_luck = Script(plan_of(sustain_s=0, max=8), {4: [GOOD], 8: ["error_rate", (300, 300)]}, [])
    assert (bad_luck.conclusion["status"], bad_luck.conclusion["concurrency"]) == ("met_at_maximum", 8)


@pytest.mark.parametrize("ended_by", ["cancelled", "failed", "budget"])
def test_what_ended_a_search_from_outside_is_no_part_of_it(ended_by: str) -> None:
    """Neither as a probe, nor as a load that could not be sustained."""
    plan = plan_of(max=8)
    *probes, sustained = Script(plan, {4: [GOOD], 8: [GOOD]}, [1.0]).done
    probed = plan.conclusion([probes[0], replace(probes[1], ended_by=ended_by, results=_measured(8, (0, 10)))])
    assert probed is not None
    assert (probed["status"], probed["concurrency"], len(probed["probes"])) == ("indeterminate", 4, 1)
    held = plan.conclusion([*probes, replace(sustained, ended_by=ended_by)])
    assert held is not None
    assert (held["concurrency"], held["is_sustained"], held["sustained"]) == (8, None, [])


def test_a_miss_while_this_machine_was_late_bounds_nothing() -> None:
    """More than 5 % of the first tokens were doubtful, so they were measured too late. It is tried once more."""
    script = Script(plan_of(sustain_s=0, max=8), {4: [GOOD], 8: ["late", GOOD]}, [])
    assert script.loads == [4, 8, 8]
    assert [probe["aborted"] for probe in script.conclusion["probes"]] == [False, True, False]
    assert (script.conclusion["status"], script.conclusion["concurrency"]) == ("met_at_maximum", 8)


def test_slos_that_are_met_while_this_machine_is_late_hold() -> None:
    """Doubtful times to first token are too long, never too short."""
    late = Measured(4)
    late.set_slo(150, 150)
    late.be_doubtful(100, 150)
    plan = plan_of(sustain_s=0, start=4, max=4)
    first = plan.next([])
    assert first is not None
    conclusion = plan.conclusion([StageResult(0, first.label, "requests", late)])
    assert conclusion is not None
    assert (conclusion["status"], conclusion["probes"][0]["aborted"]) == ("met_at_maximum", False)


def test_probes_may_run_out() -> None:
    """Then the limit lies somewhere between the two loads."""
    script = Script(plan_of(max_probes=4, sustain_s=0), {load: [GOOD] for load in (4, 8, 16)} | {32: [BAD]}, [])
    assert script.loads == [4, 8, 16, 32]
    assert script.conclusion["status"] == "indeterminate"
    assert (script.conclusion["highest_passing"], script.conclusion["lowest_failing"]) == (16, 32)


def test_a_curve_that_is_not_monotone_is_flagged() -> None:
    """A load fails for certain although a higher one passes for certain. The answer is below both."""
    script = Script(
        plan_of(sustain_s=0),
        {4: [(145, 150), (230, 300)], 2: [GOOD], 3: [GOOD], 8: [GOOD]},
        [],
    )
    assert script.conclusion["flags"] == []
    # 4 passes by its first 150 requests, 8 passes, and 16 fails; the repeat of 4 shows that it fails.
    plan = plan_of(sustain_s=0)
    results = [(4, (147, 150)), (8, GOOD), (16, BAD), (4, (200, 300)), (2, GOOD), (3, GOOD)]
    done = [
        StageResult(number, {"concurrency": load}, "requests", _measured(load, counts))
        for number, (load, counts) in enumerate(results)
    ]
    conclusion = plan.conclusion(done)
    assert conclusion is not None
    assert (conclusion["flags"], conclusion["concurrency"]) == (["non_monotone"], 3)


def test_one_step_back_if_the_load_cannot_be_sustained() -> None:
    """The next lower load that passed is sustained, once, and is the answer."""
    shares: dict[int, list[tuple[int, int] | str]] = {4: [GOOD], 8: [BAD], 6: [GOOD], 7: [BAD]}
    script = Script(plan_of(), shares, [0.8, 0.96])
    assert script.loads[-2:] == [6, 4]
    assert (script.conclusion["concurrency"], script.conclusion["is_sustained"]) == (4, True)
    assert [item["met_slos"] for item in script.conclusion["sustained"]] == [False, True]
    failed = Script(plan_of(), {4: [GOOD], 8: [BAD], 6: [GOOD], 7: [BAD]}, [0.8, 0.9])
    assert (failed.conclusion["concurrency"], failed.conclusion["is_sustained"]) == (4, False)


def test_a_step_back_below_the_only_load_that_passed() -> None:
    """Without a lower load that passed, it is a tenth lower; there is none below the minimum."""
    script = Script(plan_of(max=20, start=20), {20: [GOOD]}, [0.5, 1.0])
    assert script.loads == [20, 20, 18]
    lowest = Script(plan_of(min=4, max=4), {4: [GOOD]}, [0.5])
    assert (lowest.loads, lowest.conclusion["is_sustained"]) == ([4, 4], False)


def test_the_attainment_of_the_search_stands_above_that_of_the_slos() -> None:
    """A search may ask for less than the SLOs do."""
    plan = plan_of(attainment=0.5, max=4, sustain_s=0)
    script = Script(plan, {4: [(100, 150)]}, [])
    assert (script.conclusion["attainment_target"], script.conclusion["status"]) == (0.5, "met_at_maximum")


def test_a_probe_by_time_doubles_its_time() -> None:
    plan = plan_of(probe_s=20)
    done = [StageResult(0, {"concurrency": 4}, "duration", _measured(4, (10, 10)))]
    stage = plan.next(done)
    assert stage is not None
    assert probe_of(stage).measured == Extent(duration_s=40)
    assert (plan.planned_requests, plan.max_in_flight) == (None, 1_024)


def test_nothing_was_attempted() -> None:
    """Without any request there is no answer."""
    conclusion = plan_of().conclusion([])
    assert conclusion is not None
    assert (conclusion["status"], conclusion["concurrency"]) == ("indeterminate", None)


def _measured(load: int, counts: tuple[int, int]) -> Measured:
    results = Measured(load)
    results.set_slo(*counts)
    return results


def true_limit(server: ClosedServer) -> int:
    """The highest concurrency at which at least 95 % of very many requests wait no longer than TTFT_S."""
    low, high = 1, 1_024
    while high - low > 1:
        middle = (low + high) // 2
        random, met = Random(middle), 0
        for number, served in enumerate(server.requests(middle, random)):
            if number >= 4 * middle:  # the first wave is not yet steady
                met += served.started_s - served.sent_s <= TTFT_S
            if number == 4 * middle + 10_000:
                break
        low, high = (middle, high) if met >= TARGET * 10_000 else (low, middle)
    return low


@pytest.mark.parametrize("server", [ClosedServer(7), ClosedServer(24), ClosedServer(150, deviation=0.3)], ids=str)
def test_search_finds_the_true_limit(server: ClosedServer) -> None:
    """Within 10 %, or one stream, ten seeds out of ten, and within its probes."""
    limit = true_limit(server)
    assert limit >= server.slots
    for seed in range(10):
        plan = plan_of(sustain_s=0)
        done = run(plan, server, seed, TTFT_S)
        answer = plan.conclusion(done)
        assert answer is not None
        assert abs(answer["concurrency"] - limit) <= max(1, 0.1 * limit), (seed, limit, answer)
        assert answer["status"] in ("converged", "indeterminate")
        assert len(done) <= 15
        for length in range(len(done)):
            stage = plan.next(done[:length])
            assert stage is not None
            assert stage.label == done[length].label, "another worker asks for the same stages"
