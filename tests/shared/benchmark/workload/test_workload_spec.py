"""What a workload may be: every bound, every wrong field by its name, and what is stored."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.run_spec import RunSpec
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload_spec import lists_prompts

MINIMAL: dict[str, Any] = {"name": "test", "model": "m"}
GENERATED: dict[str, Any] = {"source": "generated", "input_tokens": 512}


def spec_of(**changes: Any) -> BenchmarkSpec:
    return BenchmarkSpec.model_validate({**MINIMAL, **changes})


def errors(**changes: Any) -> dict[str, str]:
    """Path → message of each error."""
    with pytest.raises(ValidationError) as caught:
        spec_of(**changes)
    return {
        ".".join(map(str, error["loc"])): error["msg"].removeprefix("Value error, ") for error in caught.value.errors()
    }


@pytest.mark.parametrize(
    ("workload", "path", "message"),
    [
        ({"source": "generated"}, "workload", "source generated needs input_tokens"),
        (
            {**GENERATED, "order": "shuffled"},
            "workload",
            "order shuffled is only for lists of prompts, not for source generated",
        ),
        (
            {"source": "builtin", "input_tokens": 5},
            "workload",
            "input_tokens is only for source generated, not builtin",
        ),
        ({**GENERATED, "kinds": ["code"]}, "workload", "kinds is only for source builtin, not generated"),
        ({"source": "builtin", "order": "weighted", "weights": [1]}, "workload", "weights is only for source prompts"),
        ({"source": "builtin", "order": "weighted"}, "workload", "order weighted and weights belong together"),
        ({"source": "builtin", "ignore_eos": True}, "workload", "ignore_eos makes answers as long as output_tokens"),
        ({"source": "dataset"}, "workload", "source dataset needs dataset"),
        ({"source": "trace"}, "workload", "source trace needs trace"),
        ({"source": "trace", "trace": {"id": 1}, "order": "shuffled"}, "workload", "not for source trace"),
        ({"source": "trace", "trace": {"id": 1}, "output_tokens": 5}, "workload", "output_tokens is only for source"),
        ({"source": "builtin", "dataset": {"id": 1}}, "workload", "dataset is only for source dataset, not builtin"),
        ({"source": "dataset", "dataset": {"id": 0}}, "workload.dataset.id", "greater than or equal to 1"),
        ({"source": "files"}, "workload.source", "Input should be"),
        ({"source": "builtin", "kinds": ["poems"]}, "workload.kinds.0", "Input should be"),
        ({"source": "builtin", "kinds": []}, "workload.kinds", "at least 1 item"),
        ({**GENERATED, "input_tokens": 0}, "workload.input_tokens.value", "greater than or equal to 1"),
        ({**GENERATED, "input_tokens": 1_000_001}, "workload.input_tokens.value", "less than or equal to"),
        ({**GENERATED, "input_tokens": 5.5}, "workload.input_tokens.value", "valid integer"),
        ({**GENERATED, "input_tokens": True}, "workload.input_tokens.value", "valid integer"),
        ({**GENERATED, "input_tokens": "512"}, "workload.input_tokens", "valid dictionary"),
        ({**GENERATED, "output_tokens": {"distribution": "normal"}}, "workload.output_tokens", "normal needs mean"),
        ({**GENERATED, "seed": -1}, "workload.seed", "greater than or equal to 0"),
        ({**GENERATED, "seed": 2**63}, "workload.seed", "less than or equal to"),
        ({**GENERATED, "cache": "burst"}, "workload.cache.word", "'none' or 'bust'"),
        ({**GENERATED, "cache": {}}, "workload.cache", "none, bust or an object with shared_prefix"),
        ({**GENERATED, "cache": {"shared_prefix": {}}}, "workload.cache.shared_prefix.tokens", "Field required"),
        (
            {**GENERATED, "cache": {"shared_prefix": {"tokens": 5, "share": 1.5}}},
            "workload.cache.shared_prefix.share",
            "less than or equal to 1",
        ),
        ({**GENERATED, "tokenizer": "gpt2"}, "workload.tokenizer", "match pattern"),
        ({**GENERATED, "tokenizer": "a b.json"}, "workload.tokenizer", "match pattern"),
        ({**GENERATED, "imput_tokens": 5}, "workload.imput_tokens", "not permitted"),
    ],
)
def test_a_wrong_field_is_named(workload: dict[str, Any], path: str, message: str) -> None:
    found = errors(workload=workload)
    assert message in found[path]


@pytest.mark.parametrize("source", [GENERATED, {"source": "builtin"}])
def test_prompts_and_another_source_exclude_each_other(source: dict[str, Any]) -> None:
    assert "must be left out" in errors(prompts=["a"], workload=source)["prompts"]
    assert spec_of(workload=source).prompts == ()


@pytest.mark.parametrize("workload", [None, {"order": "shuffled"}])
def test_without_another_source_prompts_are_required(workload: dict[str, Any] | None) -> None:
    assert errors(**({} if workload is None else {"workload": workload})) == {"prompts": "Field required"}


def test_a_wrong_workload_is_not_blamed_on_prompts_as_well() -> None:
    assert list(errors(workload={"source": "generated"})) == ["workload"]


def test_each_prompt_has_a_weight() -> None:
    message = errors(prompts=["a", "b"], workload={"order": "weighted", "weights": [1.0]})[""]
    assert message == "workload.weights must have one weight for each prompt: 2, not 1"
    assert spec_of(prompts=["a", "b"], workload={"order": "weighted", "weights": [1, 2.5]})


def test_an_endless_source_sends_as_many_requests_as_repetitions_say() -> None:
    assert spec_of(workload=GENERATED, repetitions=500, warmup=3).planned_requests == 503


def test_the_seed_is_written_down() -> None:
    stored = spec_of(workload=GENERATED).with_defaults().workload
    assert stored is not None
    assert stored.seed == 0
    chosen = spec_of(workload={**GENERATED, "cache": "bust", "seed": 5}).with_defaults().workload
    assert chosen is not None
    assert chosen.seed == 5


def test_two_runs_that_bust_the_cache_do_not_meet_each_other_in_it() -> None:
    workloads = [spec_of(workload={**GENERATED, "cache": "bust"}).with_defaults().workload for _ in range(3)]
    assert len({workload.seed for workload in workloads if workload is not None}) == 3


@pytest.mark.parametrize(
    "workload",
    [
        GENERATED,
        {"source": "builtin", "kinds": ["chat"], "cache": "bust"},
        {"source": "dataset", "dataset": {"id": 3, "max_turns": 2}, "order": "shuffled", "ignore_eos": True},
        {"source": "trace", "trace": {"id": 3, "window": {"from_s": 5}}, "ignore_eos": True},
        {**GENERATED, "cache": {"shared_prefix": {"tokens": 5, "prefixes": 2, "share": 0.5}}, "tokenizer": "a/b.json"},
        {**GENERATED, "output_tokens": {"distribution": "empirical", "values": [[5, 1.5]]}, "ignore_eos": True},
        {**GENERATED, "input_tokens": {"distribution": "lognormal", "mean": 500.5, "stdev": 10, "min": 20, "max": 999}},
    ],
)
def test_what_is_stored_is_read_again(workload: dict[str, Any]) -> None:
    spec = spec_of(workload=workload).with_defaults()
    document = spec.model_dump(mode="json", exclude={"prompts"}, exclude_none=True)
    assert RunSpec.of_stored(document).workload == spec.workload
    assert BenchmarkSpec.model_validate({**document, "prompts": []}) == spec
    assert not lists_prompts(document)


def test_a_spec_without_a_workload_is_stored_as_before() -> None:
    document = spec_of(prompts=["a"]).with_defaults().model_dump(mode="json", exclude={"prompts"}, exclude_none=True)
    assert "workload" not in document
    assert lists_prompts(document)


def test_the_parameters_of_a_result_are_known_without_prompts() -> None:
    spec = spec_of(workload=GENERATED, parameters={"service_tier": "flex"})
    assert spec.parameters_at(1_000_007).service_tier == "flex"
    listed = spec_of(prompts=["a", {"messages": [{"role": "user", "content": "b"}], "parameters": {"top_p": 0.5}}])
    assert listed.parameters_at(1).top_p == 0.5


@pytest.mark.parametrize("workload", [GENERATED, {"source": "builtin"}])
def test_a_load_says_when_an_endless_workload_ends(workload: dict[str, Any]) -> None:
    message = errors(workload=workload, load={"concurrency": 4})[""]
    assert "needs requests or duration_s: the workload has no end of its own" in message
    assert spec_of(workload=workload, load={"concurrency": 4, "requests": 30}).planned_requests == 30
    assert spec_of(workload=workload, load={"concurrency": 4, "duration_s": 30}).planned_requests is None


def test_prompts_rows_and_a_trace_end_by_themselves() -> None:
    assert spec_of(prompts=["a", "b"], workload={"order": "shuffled"}, load={"concurrency": 4}).planned_requests == 2
    assert spec_of(workload={"source": "trace", "trace": {"id": 1}}, load={"concurrency": 4})
    # The submit writes the number of rows down.
    stored = {"source": "dataset", "dataset": {"id": 1, "rows": 7}}
    assert spec_of(workload=stored, load={"concurrency": 4}, repetitions=2).planned_requests == 14
