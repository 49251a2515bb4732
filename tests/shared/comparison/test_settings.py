"""Which settings differ, and which of them make a verdict unfair."""

from typing import Any

import pytest

from shared.comparison.measure import Difference, Known
from shared.comparison.notes import notes_of
from shared.comparison.settings import differing, reasons
from tests.shared.comparison.runs import rows, run

GENERATED = {"source": "generated", "input_tokens": 512, "seed": 1}


def fields(first: dict[str, Any], second: dict[str, Any]) -> dict[str, bool]:
    """Names of what differs, and whether it withholds the verdict."""
    return {item.field: item.withholds for item in differing([run("A", **first), run("B", **second)])}


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ({"concurrency": 8}, {"concurrency": 32}, "load.concurrency"),
        ({"request_rate": 5.0}, {"request_rate": 6.0}, "load.request_rate"),
        ({"request_rate": 5.0}, {"request_rate": 5.0, "arrival": "poisson"}, "load.arrival"),
        ({"warmup": 2}, {}, "load.warmup"),
        (
            {"load": {"concurrency": 4, "duration_s": 60}},
            {"load": {"concurrency": 8, "duration_s": 60}},
            "load.concurrency",
        ),
        ({"parameters": {"max_tokens": 64}}, {"parameters": {"max_tokens": 128}}, "parameters.max_tokens"),
        ({"warmup_prefix": False}, {}, "warmup_prefix"),
        ({"parameters": {"temperature": 0.5}}, {}, "parameters.temperature"),
        ({"extra_body": {"ignore_eos": True}}, {}, "extra_body.ignore_eos"),
        ({"workload": {"cache": "bust"}}, {}, "workload.cache"),
        ({"workload": GENERATED}, {"workload": {**GENERATED, "input_tokens": 99}}, "workload.input_tokens"),
        ({"summary": {"measurement": {"grade": "C"}}}, {}, "grade"),
        ({"prompt_set": "77"}, {}, "prompts"),
    ],
)
def test_what_decides_the_numbers_withholds_the_verdict(
    first: dict[str, Any], second: dict[str, Any], field: str
) -> None:
    assert fields(first, second).get(field) is True
    assert fields(second, first).get(field) is True
    assert reasons(run("A", **first), run("B", **second))


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ({"model": "a"}, {"model": "b"}, "model"),
        ({"endpoint": {"base_url": "http://a"}}, {"endpoint": {"base_url": "http://b"}}, "endpoint"),
        ({"timeouts": {"total_s": 5}}, {}, "timeouts"),
        (
            {"workload": GENERATED, "prompt_set": "1"},
            {"workload": {**GENERATED, "seed": 2}, "prompt_set": "2"},
            "prompts",
        ),
    ],
)
def test_what_is_compared_does_not(first: dict[str, Any], second: dict[str, Any], field: str) -> None:
    """Models and endpoints may differ, and so may random draws of the same kind."""
    assert fields(first, second).get(field) is False
    assert reasons(run("A", **first), run("B", **second)) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"repetitions": 2}, {"repetitions": 9}),
        ({"arrival_seed": 1}, {"arrival_seed": 2}),
        ({"concurrency": 4}, {"load": {"concurrency": 4, "duration_s": 60}}),
        ({"load": {"request_rate": 4, "duration_s": 60}}, {"load": {"request_rate": 4, "duration_s": 90, "seed": 3}}),
        (
            {"load": {"stages": [{"name": "one", "concurrency": 2, "requests": 5}]}},
            {"load": {"stages": [{"name": "two", "concurrency": 2, "requests": 9}]}},
        ),
        ({"name": "one"}, {"name": "two"}),
        ({"metadata": {"commit": "1"}}, {"metadata": {"commit": "2"}}),
    ],
)
def test_what_only_says_how_long_or_who_is_no_difference(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert fields(first, second) == {}


def test_reasons_name_both_values() -> None:
    first, second = run("A", concurrency=8), run("B", concurrency=32, parameters={"max_tokens": 5})
    assert reasons(first, second) == [
        "load.concurrency differs: 8 and 32",
        "parameters.max_tokens differs: not set and 5",
    ]
    assert reasons(run("A", prompt_set="1"), run("B", prompt_set="2")) == ["they sent different prompts"]
    assert "nobody knows" in reasons(run("A", prompt_set=None), run("B"))[0]


def test_unknown_prompts_of_both_are_not_the_same() -> None:
    first, second = run("A", prompt_set=None), run("B", prompt_set=None)
    assert not first.has_same_texts(second)
    assert "nobody knows" in reasons(first, second)[0]


def test_what_withholds_comes_first_and_long_texts_are_cut() -> None:
    first, second = run("A", model="a", extra_body={"x": "y" * 500}), run("B", model="b")
    found = differing([first, second])
    assert [item.field for item in found] == ["extra_body.x", "model"]
    assert len(found[0].values[0]) == 200


def test_long_lists_and_objects_are_cut_as_texts() -> None:
    tools = [{"name": "x" * 50}] * 50
    found = differing([run("A", extra_body={"tools": tools}), run("B", extra_body={"tools": [1]})])
    assert [(item.field, len(item.values[0]), item.values[1]) for item in found] == [("extra_body.tools", 200, [1])]


def test_what_retention_deleted_is_not_compared_and_said() -> None:
    first = run("A", extra_body={"x": 1}, parameters={"stop": ["x"], "max_tokens": 5}, workload={"cache": "bust"})
    second = run("B", parameters={"max_tokens": 6}, has_texts=False)
    assert [item.field for item in differing([first, second])] == ["parameters.max_tokens"]
    (note,) = [
        note
        for note in notes_of(
            [first, second], [rows([1.0]), rows([1.0])], [Difference(Known(1, 0.0, None), Known(1, 0.0, None), 0.0)]
        )
        if "Retention" in note
    ]
    assert "the texts of B" in note
