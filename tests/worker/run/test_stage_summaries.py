"""The summary of a stage knows as much of the prompts as that of the whole run."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ClosedLoop
from shared.benchmark.load.places import place_at
from shared.benchmark.load.plan import Stage
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.spec import BenchmarkSpec
from shared.workloads.loads import load_of
from tests.worker.run.test_statistics import result
from tests.worker.run.test_summary import Row, folded
from worker.run.summary import Plan, stage_summaries, summarize


def spec(requests: int, **fields: Any) -> BenchmarkSpec:
    body = {"name": "n", "model": "m", **fields, "load": {"concurrency": 1, "requests": requests}}
    return BenchmarkSpec.model_validate(body).with_defaults()


@pytest.mark.parametrize(
    ("fields", "rows", "cause"),
    [
        ({"prompts": ["a", "b"]}, [Row(prompt_index=0), Row(prompt_index=1)], "an earlier run, or a beginning"),
        ({"prompts": ["a"]}, [Row(repetition=0), Row(repetition=1)], "repetitions of the same prompt."),
        ({"prompts": ["a", "a"]}, [Row(prompt_index=0), Row(prompt_index=1)], "repetitions of the same prompt."),
        (
            {"workload": {"source": "generated", "input_tokens": 9}, "repetitions": 2},
            [Row(prompt_index=0), Row(prompt_index=1)],
            "an earlier run, or a beginning",
        ),
        (
            {"prompts": ["a"], "warmup_prefix": False},
            [Row(warmup=True), Row()],
            "warm-up requests with the same prompts.",
        ),
        ({"prompts": ["a"]}, [Row(warmup=True), Row()], "an earlier run, or a beginning"),
    ],
    ids=["once", "rounds", "listed twice", "generated", "warm-up", "prefixed warm-up"],
)
def test_a_stage_says_what_may_have_filled_the_prompt_cache(
    fields: dict[str, Any], rows: list[Row], cause: str
) -> None:
    wanted = spec(2, **fields)
    results = folded(*[replace(row, cache_read_tokens=90, total_input_tokens=100) for row in rows])
    found = stage_summaries(wanted, load_of(wanted).workload, Counter())(Stage(0, Phase(ClosedLoop(1))), results)
    (notice,) = found["notices"]
    assert f"may have been filled by {cause}" in notice


def test_the_prompts_of_a_stage_are_as_equal_as_those_of_its_run() -> None:
    wanted = spec(100, prompts=["a"] * 100)
    workload = load_of(wanted).workload
    results = folded(*[Row(prompt_index=number, ttft_ms=number) for number in range(100)])
    plan = Plan(100, 1, None, interrupted=False, sent_in_vain=0, equal_prompts=workload.equal_prompts())
    found = stage_summaries(wanted, workload, Counter())(Stage(0, Phase(ClosedLoop(1))), results)["ttft_ms"]
    assert found == summarize(results, plan)["ttft_ms"]
    assert (found["interval_basis"], found["p50_ci95"]) == ("prompts", None)


def test_a_stage_counts_its_own_requests_that_may_have_been_sent_twice() -> None:
    wanted = spec(3, prompts=["a"])
    sent_in_vain = Counter({RequestId(place_at(0, 0)): 1, RequestId(place_at(1, 0)): 2, RequestId(place_at(1, 1)): 1})
    summaries = stage_summaries(wanted, load_of(wanted).workload, sent_in_vain)
    found = []
    for number in range(3):
        results, phase = RunAggregate(1), Phase(ClosedLoop(1))
        priced = replace(result(0), cost_usd=Decimal("0.001"))
        results.add(priced, sent_in_vain=sent_in_vain[RequestId(place_at(number, 0))])
        found.append(summaries(Stage(number, phase), results)["possible_duplicates"])
    assert found == [
        {"requests": 1, "cost_usd": "0.001", "unpriced_requests": 0},
        {"requests": 3, "cost_usd": "0.002", "unpriced_requests": 1},
        {"requests": 0, "cost_usd": None, "unpriced_requests": 0},
    ]


def test_a_seamless_stage_counts_at_least_what_was_sent_again_in_it() -> None:
    """The places of all of them are those of the first."""
    wanted, results = spec(3, prompts=["a"]), RunAggregate(1)
    results.add(replace(result(0), cost_usd=Decimal("0.001")), sent_in_vain=2)
    summaries = stage_summaries(wanted, load_of(wanted).workload, Counter({RequestId(place_at(0, 0)): 2}))
    found = summaries(Stage(1, Phase(ClosedLoop(1))), results)["possible_duplicates"]
    assert found == {"requests": 2, "cost_usd": "0.002", "unpriced_requests": 0}
