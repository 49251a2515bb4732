"""What a benchmark will send, take and cost, known before it starts."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.benchmark.estimate import SAMPLED, estimate
from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ClosedLoop, ConstantRate
from shared.benchmark.load.plan import FixedPlan, Plan, Stage, StageResult
from shared.benchmark.load.rate_profile import RateProfile
from shared.benchmark.load.stop import StopRule
from shared.benchmark.request_id import RequestId
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import PromptsInTurn, WorkItem
from shared.workloads.loads import load_of
from shared.workloads.tokenizer import tokenizer_of


def cost(read: int, written: int) -> Decimal:
    """A cent for each token read, a dollar for each token written."""
    return Decimal(read) / 100 + written


def spec(*prompts: Any, **fields: Any) -> BenchmarkSpec:
    body = {"name": "n", "model": "m", "prompts": list(prompts or ["p" * 40]), "parameters": {"max_tokens": 100}}
    given = {name: value for name, value in {**body, **fields}.items() if value != []}
    return BenchmarkSpec.model_validate(given).with_defaults()


def words(text: str) -> int:
    return len(text.split())


def of(found: BenchmarkSpec, **known: Any) -> dict[str, Any]:
    load = load_of(found)
    return estimate(found, load.plan, load.workload, known.pop("cost", cost), **known)


def test_requests_tokens_and_cost_of_a_list_of_prompts() -> None:
    found = of(spec("a" * 40, "b" * 41, repetitions=3, warmup=1, system="s" * 8))
    assert (found["requests"], found["warmup_requests"], found["tokens_counted_by"]) == (7, 1, "bytes")
    # 12 tokens, 13 with a token that is not full; warm-up sends the first prompt.
    assert found["input_tokens"] == 4 * 12 + 3 * 13
    assert found["output_tokens"] == {"low": 0, "high": 700}
    assert found["cost_usd"] == {"low": pytest.approx(0.87), "high": pytest.approx(700.87)}


def test_a_tokenizer_counts_if_there_is_one() -> None:
    conversation = {"messages": [{"role": "user", "content": "one two"}, {"role": "assistant", "content": "three"}]}
    conversation["messages"].append({"role": "user", "content": "four five six"})
    found = of(spec(conversation), count=words)
    assert (found["input_tokens"], found["tokens_counted_by"]) == (6, "tokenizer")


def test_answers_of_fixed_length_are_as_long_as_the_workload_says() -> None:
    found = of(spec(repetitions=50, workload={"output_tokens": 30, "ignore_eos": True}))
    assert found["output_tokens"] == {"low": 1_500, "high": 1_500}


def test_bytes_are_those_of_utf8() -> None:
    assert of(spec("é" * 4))["input_tokens"] == 2


@pytest.mark.parametrize(
    ("extra_body", "low"), [({"ignore_eos": True}, 100), ({"min_tokens": 30}, 30), ({"min_tokens": 500}, 100), ({}, 0)]
)
def test_what_the_server_is_told_bounds_the_output(extra_body: dict[str, Any], low: int) -> None:
    assert of(spec(extra_body=extra_body))["output_tokens"] == {"low": low, "high": 100}


def test_an_unknown_price_is_null_and_not_zero() -> None:
    assert of(spec(), cost=lambda read, written: None)["cost_usd"] is None
    free = of(spec(), cost=lambda read, written: Decimal(0))
    assert free["cost_usd"] == {"low": 0, "high": 0}


def test_the_duration_of_a_closed_loop_has_no_lower_bound() -> None:
    found = of(spec(repetitions=10, concurrency=4, timeouts={"connect_s": 1, "total_s": 9}))
    assert found["duration_s"] == {"low": None, "high": 30}


def test_an_open_loop_takes_as_long_as_its_schedule() -> None:
    found = of(spec(repetitions=101, request_rate=5.0, timeouts={"connect_s": 1, "total_s": 9}))
    # 50 in flight: at worst three waves of 10 s, which is more than the schedule and one answer.
    assert found["duration_s"] == {"low": 20, "high": 30}


def test_max_duration_bounds_the_duration() -> None:
    assert of(spec(repetitions=101, request_rate=5.0, max_duration_s=15))["duration_s"] == {"low": 15, "high": 15}


class For(StopRule):
    def __init__(self, seconds: float, grace_s: float | None) -> None:
        self.send_for_ns = int(seconds * 1e9)
        self.grace_ns = None if grace_s is None else int(grace_s * 1e9)


class Endless(PromptsInTurn):
    @property
    def length(self) -> None:  # type: ignore[override]
        return None

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        return replace(finite, id=RequestId(place)) if (finite := self._finite.item(0)) is not None else None

    @property
    def _finite(self) -> PromptsInTurn:
        return PromptsInTurn(self._spec)


def staged(*phases: Phase, workload: type[PromptsInTurn] = PromptsInTurn) -> dict[str, Any]:
    found = spec("p" * 40, repetitions=1_000, timeouts={"connect_s": 1, "total_s": 9})
    plan = FixedPlan([Stage(number, phase) for number, phase in enumerate(phases)], None)
    return estimate(found, plan, workload(found), cost)


def test_a_rate_for_a_time_gives_a_number_of_requests() -> None:
    found = staged(Phase(ConstantRate(10, 50), stop=For(60, 5)), workload=Endless)
    assert (found["requests"], found["duration_s"]) == (600, {"low": 59.9, "high": 65})


def test_a_closed_loop_for_a_time_sends_nobody_knows_how_many() -> None:
    found = staged(Phase(ClosedLoop(4), stop=For(60, 30)), workload=Endless)
    assert (found["requests"], found["input_tokens"], found["output_tokens"], found["cost_usd"]) == (None,) * 4
    # An answer takes 10 s at most, so the grace is never used up.
    assert found["duration_s"] == {"low": 60, "high": 70}


def test_stages_add_up() -> None:
    found = staged(Phase(ClosedLoop(4), end=40), Phase(ConstantRate(10, 1_000), first=40, end=141))
    assert (found["requests"], found["input_tokens"]) == (141, 1_410)
    assert found["duration_s"] == {"low": 10, "high": 100 + 20}


def test_a_rising_rate_is_estimated_by_its_integral() -> None:
    """From 0 to 20 requests/s within 10 s are 100 requests, and 20 in each second after that."""
    ramp = ConstantRate(RateProfile([(0, 0), (10, 20)]), 10_000)
    assert staged(Phase(ramp, stop=For(15, 5)), workload=Endless)["requests"] == 200
    found = staged(Phase(ramp, end=301))
    assert found["duration_s"] == {"low": pytest.approx(20, abs=0.01), "high": pytest.approx(30, abs=0.01)}


class Searching(Plan):
    planned_requests = None
    max_in_flight = 64

    def next(self, done: Sequence[StageResult]) -> Stage | None:
        raise AssertionError("an estimate reads no results")


def test_a_plan_that_depends_on_results_says_so() -> None:
    found = spec(max_duration_s=600)
    document = estimate(found, Searching(), PromptsInTurn(found), cost)
    assert (document["requests"], document["cost_usd"]) == (None, None)
    assert document["duration_s"] == {"low": None, "high": 600}
    assert "depends on results" in document["notes"][0]


def test_texts_that_are_not_here_have_no_tokens() -> None:
    found = spec(repetitions=20)
    document = estimate(found, load_of(found).plan, None, cost)
    assert (document["requests"], document["input_tokens"], document["cost_usd"]) == (20, None, None)
    assert "not at hand" in document["notes"][0]


def test_the_requests_of_a_workload_are_made_and_counted() -> None:
    generated = {"source": "generated", "input_tokens": 50, "output_tokens": 10}
    found = spec(workload=generated, load={"concurrency": 2, "requests": 5_000}, prompts=[])
    load = load_of(found)
    document = estimate(found, load.plan, load.workload, cost, tokenizer_of("m", None).count, sampled=100)
    assert document["requests"] == 5_000
    assert document["input_tokens"] == pytest.approx(250_000, rel=0.03)
    assert document["output_tokens"]["high"] == 50_000


class Conversations(PromptsInTurn):
    has_turns = True


def test_the_tokens_of_conversations_are_not_known() -> None:
    document = staged(Phase(ClosedLoop(4), end=40), workload=Conversations)
    assert (document["requests"], document["input_tokens"], document["cost_usd"]) == (40, None, None)
    assert "later turns" in document["notes"][0]
    assert document["duration_s"] is None


def test_few_prompts_that_are_sent_often_are_counted_exactly_and_quickly() -> None:
    texts: list[str] = []

    def count(text: str) -> int:
        texts.append(text)
        return len(text)

    prompts = ["p" * number for number in range(1, 8)]
    found = of(spec(*prompts, repetitions=10_000), count=count)
    assert (found["requests"], found["input_tokens"]) == (70_000, 280_000)
    assert sorted(texts) == sorted(prompts)


def test_of_many_prompts_a_random_sample_is_counted() -> None:
    """The first prompts are the longest, so that a sample of the first ones would be wrong."""
    prompts = [f"{'x' * (4_000 - number)}{number:04}" for number in range(4_000)]
    counted = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text)

    found = of(spec(*prompts), count=count)
    truth = sum(map(len, prompts))
    assert len(counted) <= SAMPLED
    assert found["input_tokens"] == pytest.approx(truth, rel=0.06)
