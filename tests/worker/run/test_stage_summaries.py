"""The summary of a stage knows as much of the prompts as that of the whole run."""

from dataclasses import replace
from typing import Any

import pytest

from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ClosedLoop
from shared.benchmark.load.plan import Stage
from shared.benchmark.spec import BenchmarkSpec
from shared.workloads.loads import load_of
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
    found = stage_summaries(wanted, load_of(wanted).workload)(Stage(0, Phase(ClosedLoop(1))), results)
    (notice,) = found["notices"]
    assert f"may have been filled by {cause}" in notice


def test_the_prompts_of_a_stage_are_as_equal_as_those_of_its_run() -> None:
    wanted = spec(100, prompts=["a"] * 100)
    workload = load_of(wanted).workload
    results = folded(*[Row(prompt_index=number, ttft_ms=number) for number in range(100)])
    plan = Plan(100, 1, None, interrupted=False, sent_in_vain=0, equal_prompts=workload.equal_prompts())
    found = stage_summaries(wanted, workload)(Stage(0, Phase(ClosedLoop(1))), results)["ttft_ms"]
    assert found == summarize(results, plan)["ttft_ms"]
    assert (found["interval_basis"], found["p50_ci95"]) == ("prompts", None)
