"""The prompt set: equal for benchmarks that send the same texts, and for no others."""

from typing import Any

import pytest

from shared.benchmark.prompt_set import prompt_set
from shared.benchmark.spec import BenchmarkSpec

FILE, OTHER_FILE = "a" * 64, "b" * 64
GENERATED = {"source": "generated", "input_tokens": 64}
DATASET = {"source": "dataset", "dataset": {"id": 1, "sha256": FILE, "rows": 3, "turns": 3}}
TRACE = {"source": "trace", "trace": {"id": 1, "sha256": FILE, "rows": 3}}


def of(**fields: Any) -> str:
    workload = fields.get("workload") or {}
    prompts = {"prompts": ["one", "two"]} if workload.get("source", "prompts") == "prompts" else {}
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "m", **prompts, **fields})
    return prompt_set(spec.with_defaults())


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "other", "model": "other", "provider": "p", "metadata": {"a": 1}},
        {"concurrency": 8, "warmup": 3, "repetitions": 5},
        {"request_rate": 5.0},
        {"load": {"concurrency": 4, "requests": 20}},
        {"parameters": {"max_tokens": 7, "temperature": 0.5}, "extra_body": {"x": 1}},
        {"prompts": [{"messages": [{"role": "user", "content": "one"}], "parameters": {"max_tokens": 9}}, "two"]},
        {"workload": {}},
        {"workload": {"seed": 5, "output_tokens": 20}},
        {"workload": {"output_tokens": {"distribution": "uniform", "min": 1, "max": 9}, "ignore_eos": True}},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_name_model_load_and_parameters_are_no_part_of_it(fields: dict[str, Any]) -> None:
    assert of(**fields) == of()


@pytest.mark.parametrize(
    "fields",
    [
        {"prompts": ["two", "one"]},
        {"prompts": ["one"]},
        {"prompts": ["one", "two", "two"]},
        {"prompts": ["on", "etwo"]},
        {"system": "Be brief."},
        {"prompts": [{"system": "Be brief.", "messages": [{"role": "user", "content": "one"}]}, "two"]},
        {
            "prompts": [
                {
                    "messages": [
                        {"role": "user", "content": "a"},
                        {"role": "assistant", "content": "b"},
                        {"role": "user", "content": "one"},
                    ]
                },
                "two",
            ]
        },
        {"workload": {"order": "shuffled"}},
        {"workload": {"order": "shuffled", "seed": 1}},
        {"workload": {"order": "weighted", "weights": [1, 2]}},
        {"workload": {"order": "weighted", "weights": [2, 1]}},
        {"workload": {"cache": "bust"}},
        {"workload": {"cache": {"shared_prefix": {"tokens": 10}}}},
        {"workload": {"cache": {"shared_prefix": {"tokens": 10}}, "seed": 3}},
        {"workload": {"source": "builtin"}},
        {"workload": {"source": "builtin", "kinds": ["chat"]}},
        {"workload": GENERATED},
        {"workload": {**GENERATED, "seed": 1}},
        {"workload": {**GENERATED, "tokenizer": "o200k"}},
        {"workload": {**GENERATED, "token_factor": 1.5}},
        {"workload": {**GENERATED, "input_tokens": 65}},
        {"workload": GENERATED, "system": "Be brief."},
        {"workload": DATASET},
        {"workload": {**DATASET, "dataset": {**DATASET["dataset"], "sha256": OTHER_FILE}}},  # type: ignore[dict-item]
        {"workload": {**DATASET, "dataset": {**DATASET["dataset"], "max_turns": 1}}},  # type: ignore[dict-item]
        {"workload": TRACE},
        {"workload": {**TRACE, "trace": {**TRACE["trace"], "window": {"from_s": 5}}}},  # type: ignore[dict-item]
    ],
)
def test_what_decides_texts_or_their_order_does(fields: dict[str, Any]) -> None:
    seen = KNOWN.setdefault(of(**fields), fields)
    assert seen == fields, "the same set as other texts"
    assert of(**fields) != of()


# Sets of the test above: all of its cases differ from each other too.
KNOWN: dict[str, dict[str, Any]] = {}


def test_one_system_text_for_all_is_the_same_as_one_in_each_prompt() -> None:
    each = [{"system": "Be brief.", "messages": [{"role": "user", "content": text}]} for text in ("one", "two")]
    assert of(prompts=each) == of(system="Be brief.")


def test_a_file_counts_by_its_hash_and_times_do_not_count() -> None:
    elsewhere = {**DATASET["dataset"], "id": 77, "think_s": 3}  # type: ignore[dict-item]
    assert of(workload={**DATASET, "dataset": elsewhere}) == of(workload=DATASET)
    faster = {**TRACE["trace"], "time_scale": 0.5, "spread": True}  # type: ignore[dict-item]
    assert of(workload={**TRACE, "trace": faster}) == of(workload=TRACE)


def test_markers_against_caches_are_no_part_of_it() -> None:
    """Each submit draws another seed for them."""
    assert of(workload={"cache": "bust"}) == of(workload={"cache": "bust"})


def test_it_stays_the_same_from_version_to_version() -> None:
    """Otherwise a history would end with an upgrade."""
    assert of() == "9247bf35ef7d655c1a6645aeabfe8472c64a8e09a05b88cfa80a5b57410d6baf"
