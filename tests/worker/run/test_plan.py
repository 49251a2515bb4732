"""What is sent, in which order, and when."""

import numpy as np
import pytest

from shared.benchmark.spec import BenchmarkSpec
from shared.providers.adapters import adapter_for
from shared.providers.endpoints import Endpoint
from worker.run.plan import make_plan, open_slots, schedule_ns

ADAPTER = adapter_for(Endpoint(name="test", protocol="openai", base_url="http://127.0.0.1"))


def test_constant_arrivals_are_evenly_spaced_and_the_first_is_due_at_once() -> None:
    assert schedule_ns(4, "constant", 0, 4) == [0, 250_000_000, 500_000_000, 750_000_000]


def test_poisson_arrivals_have_the_rate_and_exponential_gaps() -> None:
    offsets = schedule_ns(10, "poisson", 1, 20_000)
    gaps_s = np.diff(offsets) / 1e9
    assert offsets[0] == 0
    assert gaps_s.min() >= 0
    # Of an exponential distribution mean and deviation are the same.
    assert gaps_s.mean() == pytest.approx(0.1, rel=0.03)
    assert gaps_s.std() == pytest.approx(0.1, rel=0.03)


def test_a_seed_gives_the_same_schedule_again_and_another_seed_another() -> None:
    assert schedule_ns(10, "poisson", 7, 100) == schedule_ns(10, "poisson", 7, 100)
    assert schedule_ns(10, "poisson", 7, 100) != schedule_ns(10, "poisson", 8, 100)


@pytest.mark.parametrize("count", [0, 1])
def test_a_schedule_may_be_short(count: int) -> None:
    assert schedule_ns(10, "constant", 0, count) == [0] * count


def plan_of(recorded: set[tuple[int, int]], **changes: object) -> list[int | None]:
    spec = BenchmarkSpec.model_validate(
        {"name": "x", "model": "m", "prompts": ["a", "b"], "repetitions": 2, "warmup": 1, **changes}
    )
    plan = make_plan(spec, ADAPTER, [slot for _, slot in open_slots(spec, recorded)])
    return [request.offset_ns for request in (*plan.warmup, *plan.measured)]


def test_only_measured_requests_have_a_schedule_and_what_is_left_of_it_begins_at_once() -> None:
    assert plan_of(set(), request_rate=2) == [None, 0, 500_000_000, 1_000_000_000, 1_500_000_000]
    assert plan_of({(0, -1), (0, 0)}, request_rate=2) == [0, 500_000_000, 1_000_000_000]


def test_a_closed_loop_has_none() -> None:
    assert plan_of(set()) == [None] * 5


def test_a_resumed_run_keeps_each_request_in_its_place() -> None:
    spec = BenchmarkSpec.model_validate(
        {"name": "x", "model": "m", "prompts": ["a", "b"], "repetitions": 2, "warmup": 1}
    )
    assert open_slots(spec, set()) == [(0, (0, -1)), (1, (0, 0)), (2, (1, 0)), (3, (0, 1)), (4, (1, 1))]
    assert open_slots(spec, {(0, -1), (1, 0), (0, 1)}) == [(1, (0, 0)), (4, (1, 1))]
