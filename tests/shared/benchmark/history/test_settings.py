"""The settings that numbers depend on, and how those of two runs differ."""

from typing import Any

import pytest

from shared.benchmark.history.settings import Difference, differences, settings_of
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.without_texts import spec_without_texts
from tests.shared.benchmark.history.runs import ENDPOINT, spec_of


def stored(**fields: Any) -> dict[str, Any]:
    """As the database keeps it."""
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "m", "prompts": ["a", "b"], **fields}).with_defaults()
    return spec.model_dump(mode="json", exclude={"prompts"}, exclude_none=True)


def differing(**fields: Any) -> list[str]:
    return [item.field for item in differences(settings_of(stored(**fields)), settings_of(stored()))]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "other", "metadata": {"a": 1}},
        {"repetitions": 9, "concurrency": 2},
        {"system": "text of the prompt set"},
        {"workload": {"cache": "bust"}},
        {"slos": {"ttft_ms": 5}, "timeouts": {"total_s": 100}},
        {"load": {"concurrency": 2, "requests": 50}},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_what_numbers_do_not_depend_on_is_no_difference(fields: dict[str, Any]) -> None:
    assert differing(**fields) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"concurrency": 8}, ["load.concurrency"]),
        ({"warmup": 2}, ["load.warmup"]),
        (
            {"request_rate": 3.0, "concurrency": 2},
            ["load.arrival", "load.concurrency", "load.max_concurrency", "load.request_rate"],
        ),
        ({"load": {"concurrency": 3, "requests": 9}}, ["load.concurrency"]),
        ({"parameters": {"max_tokens": 7, "stop": ["x"]}}, ["parameters.max_tokens", "parameters.stop[0]"]),
        ({"extra_body": {"ignore_eos": True}}, ["extra_body.ignore_eos"]),
        ({"workload": {"output_tokens": 5}}, ["workload.output_tokens.distribution", "workload.output_tokens.value"]),
    ],
)
def test_load_and_parameters_are(fields: dict[str, Any], expected: list[str]) -> None:
    assert differing(**fields) == expected


def test_a_load_replaces_the_short_form_and_names_of_stages_do_not_count() -> None:
    first = stored(load={"stages": [{"name": "calm", "concurrency": 2, "duration_s": 5}]})
    second = stored(load={"stages": [{"name": "slow", "concurrency": 3, "duration_s": 5}]})
    assert differences(settings_of(first), settings_of(second)) == [Difference("load.stages[0].concurrency", 2, 3)]


def test_the_endpoint_counts_if_it_is_given() -> None:
    other = {**ENDPOINT, "fingerprint": "f2"}
    found = differences(settings_of(spec_of(), ENDPOINT), settings_of(spec_of(), other))
    assert found == [Difference("endpoint.fingerprint", "f1", "f2")]


def test_what_retention_deleted_is_not_compared_and_the_rest_is() -> None:
    whole = stored(parameters={"stop": ["x"]}, extra_body={"a": 1}, workload={"output_tokens": 5}, concurrency=2)
    old = settings_of(spec_without_texts(whole, "n"), has_texts=False)
    assert differences(old, settings_of(whole)) == []
    assert [item.field for item in differences(old, settings_of(stored(concurrency=1)))] == ["load.concurrency"]
    # Only then may they be the same: what is kept is equal.
    assert old.kept == settings_of(whole).kept != settings_of(stored(concurrency=1)).kept
