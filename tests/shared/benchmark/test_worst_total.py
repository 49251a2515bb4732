"""What all requests of a benchmark can cost at most."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.benchmark.worst_case import WorstCase
from shared.benchmark.worst_total import WorstTotal, worst_total
from shared.workloads.loads import load_of


def cost(_: int, written: int) -> int:
    """A micro-dollar for each token of output."""
    return written


def total(sampled: int = 100, **fields: Any) -> WorstTotal:
    prompts = [{"messages": [{"role": "user", "content": "x"}], "parameters": {"max_tokens": n}} for n in (10, 30)]
    given = {"name": "n", "model": "m", **({} if "workload" in fields else {"prompts": prompts}), **fields}
    spec = BenchmarkSpec.model_validate(given).with_defaults()
    load = load_of(spec)
    return worst_total(spec, load.plan, load.workload, WorstCase(load.workload, cost), sampled=sampled)


def test_prompts_are_added_up_and_warm_up_counts() -> None:
    assert total() == WorstTotal(10, 40, 2)
    assert total(repetitions=100) == WorstTotal(10, 4_000, 200)
    assert total(repetitions=2, warmup=2) == WorstTotal(10, 120, 6)


def test_a_round_that_is_cut_short_counts_as_a_whole_one() -> None:
    assert total(load={"concurrency": 1, "requests": 3}) == WorstTotal(10, 80, 3)


def test_many_made_requests_count_by_a_sample_of_them() -> None:
    found = total(20, workload={"source": "builtin"}, parameters={"max_tokens": 7}, repetitions=5_000)
    assert found == WorstTotal(7, 35_000, 5_000)


@pytest.mark.parametrize("load", [{"concurrency": 2, "duration_s": 5}, {"sweep": {"concurrency": {"from": 1}}}])
def test_a_number_of_requests_that_is_not_known_has_no_total(load: dict[str, Any]) -> None:
    assert total(load=load) == WorstTotal(10, None, None)


class Unbounded(Workload):
    """Requests without `max_tokens`."""

    @property
    def length(self) -> int:
        return 2

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        raise NotImplementedError

    def id_of(self, prompt_index: int, repetition: int) -> Any:
        raise NotImplementedError


class NoBound(WorstCase):
    def of_place(self, place: int, first: int = 0, answers: Sequence[str] = ()) -> list[int] | None:
        return None


def test_a_request_without_a_bound_has_none() -> None:
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "m", "prompts": ["x"]}).with_defaults()
    workload = Unbounded()
    found = worst_total(spec, load_of(spec).plan, workload, NoBound(workload, cost), sampled=9)
    assert found == WorstTotal(bounded=False)
