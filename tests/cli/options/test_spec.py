"""Specs from files and flags."""

from pathlib import Path
from typing import Any

import pytest

from api.schemas.benchmark_request import BenchmarkBody
from cli.demo import EXAMPLE
from cli.exits import CliError
from cli.options.spec import WEBHOOK_FIELDS, check, load_spec, merge, named, pairs, typed_pairs, typed_pairs_or_objects
from shared.benchmark.spec import BenchmarkSpec


def _merge(base: dict[str, Any], **flags: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"prompts": [], "parameters": {}, "extra_body": {}, "timeouts": {}, "metadata": {}}
    return named(merge(base, **{**empty, **flags}))


def test_a_flag_wins_over_the_file() -> None:
    spec = _merge({"model": "a", "prompts": ["x"], "repetitions": 2, "name": "n"}, model="b", repetitions=None)
    assert spec == {"model": "b", "prompts": ["x"], "repetitions": 2, "name": "n"}


def test_parameters_are_merged_key_by_key_and_prompts_are_replaced() -> None:
    base = {"model": "a", "prompts": ["x", "y"], "parameters": {"seed": 1, "max_tokens": 5}, "name": "n"}
    spec = _merge(base, prompts=["z"], parameters={"max_tokens": 9, "top_p": None})
    assert spec["parameters"] == {"seed": 1, "max_tokens": 9}
    assert spec["prompts"] == ["z"]


def test_flags_that_are_not_given_send_no_field() -> None:
    assert _merge({}, model="m", prompts=["p"], name="n") == {"model": "m", "prompts": ["p"], "name": "n"}


def test_a_name_is_derived_from_what_is_measured() -> None:
    assert _merge({}, model="m", prompts=["p"])["name"] == "m, 1 prompt"
    spec = _merge({}, model="m", prompts=["p", "q"], repetitions=3, concurrency=4)
    assert spec["name"] == "m, 2 prompts × 3, concurrency 4"
    assert _merge({}, model="m", prompts=["p", "q"], concurrency=1)["name"] == "m, 2 prompts, concurrency 1"
    assert len(_merge({}, model="m" * 300, prompts=["p"])["name"]) == 200


@pytest.mark.parametrize(("base", "words"), [({}, "no model"), ({"model": "m"}, "no prompts")])
def test_a_spec_without_model_or_prompts_says_how_to_give_them(base: dict[str, Any], words: str) -> None:
    with pytest.raises(CliError, match=words):
        _merge(base)


def test_yaml_and_json_mean_the_same_spec(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("model: m\nprompts: [hi]\nmetadata: {day: 2025-01-15}\n")
    (tmp_path / "s.json").write_text('{"model": "m", "prompts": ["hi"], "metadata": {"day": "2025-01-15"}}')
    assert load_spec(str(tmp_path / "s.yaml")) == load_spec(str(tmp_path / "s.json"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.yaml", "model: [", "line 1 is not YAML"),
        ("s.json", '{\n"model" 1}', "line 2 is not JSON"),
        ("s.yaml", "- a\n", "must be an object"),
    ],
)
def test_a_broken_spec_file_names_the_line(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(CliError, match=words):
        load_spec(str(tmp_path / name))


def test_pairs_are_split_at_the_first_equals_sign() -> None:
    assert pairs(["a=b=c", "d="], "--metadata") == {"a": "b=c", "d": ""}
    with pytest.raises(CliError, match="must be key=value"):
        pairs(["nothing"], "--metadata")


def test_a_parameter_is_a_number_where_it_looks_like_one() -> None:
    assert typed_pairs(["seed=42", "reasoning_effort=low"], "--param") == {"seed": 42, "reasoning_effort": "low"}


def test_every_wrong_field_is_named_before_anything_is_started() -> None:
    spec = {
        "name": "n",
        "model": "m",
        "prompts": ["fine", {"messages": [{"role": "user", "content": ""}]}, 42],
        "parameters": {"temperature": 9, "heat": 1},
        "repetitions": 0,
    }
    with pytest.raises(CliError) as caught:
        check(spec)
    fields = {detail.partition(":")[0] for detail in caught.value.details}
    # Of the prompts, the first wrong one.
    assert {"prompts[1].messages[0].content", "parameters.temperature", "parameters.heat"} <= fields
    assert "repetitions: must be greater than or equal to 1" in caught.value.details


def test_the_example_of_the_readme_is_a_valid_spec() -> None:
    assert BenchmarkSpec.model_validate(EXAMPLE).planned_requests == 2


@pytest.mark.parametrize("text", ['{"a": }', "{}x", "novalue", "=1"])
def test_an_extra_body_is_pairs_or_a_json_object(text: str) -> None:
    with pytest.raises(CliError, match="--extra-body"):
        typed_pairs_or_objects(["a=1", text], "--extra-body")


def test_a_spec_with_a_reserved_field_is_refused_before_anything_starts() -> None:
    with pytest.raises(CliError) as caught:
        check({"name": "n", "model": "m", "prompts": ["x"], "extra_body": {"model": "other"}})
    assert caught.value.details == ("extra_body.model: is not for extra_body: `model` sets it",)


@pytest.mark.parametrize("text", ["model: m\npromts: [hi]\n", '{"model": "m", "promts": ["hi"]}'])
def test_a_misspelt_field_of_a_spec_is_named_with_the_right_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "load.yaml"
    file.write_text(text)
    with pytest.raises(CliError, match="unknown fields") as refused:
        load_spec(str(file))
    assert refused.value.details == ("promts: is not a field of a benchmark; did you mean prompts?",)


def test_a_field_that_is_like_no_known_one_is_left_to_the_server(tmp_path: Path) -> None:
    file = tmp_path / "load.yaml"
    file.write_text("model: m\nprompts: [hi]\nstages: []\nwebhook_url: https://h.example/\n")
    assert load_spec(str(file))["stages"] == []


def test_the_webhook_fields_are_those_that_the_api_adds_to_a_spec() -> None:
    assert {*WEBHOOK_FIELDS} == BenchmarkBody.model_fields.keys() - BenchmarkSpec.model_fields.keys()


@pytest.mark.parametrize(
    ("load", "name"),
    [
        ({"stages": [{"concurrency": 1}, {"concurrency": 2}]}, "m, 1 prompt, 2 stages"),
        ({"sweep": {"concurrency": [1, 2]}}, "m, 1 prompt, sweep"),
        ({"search": {"max": 8}}, "m, 1 prompt, search"),
    ],
)
def test_a_derived_name_says_which_kind_of_load_it_is(load: dict[str, Any], name: str) -> None:
    assert named({"model": "m", "prompts": ["a"], "load": load})["name"] == name
