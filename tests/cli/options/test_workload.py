"""What is sent, by the options of `llmbench run`."""

import json
from typing import Any

import pytest

from cli.exits import ExitCode
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi


@pytest.mark.parametrize(
    ("arguments", "workload"),
    [
        (
            "--workload generated --input-tokens 512 --output-tokens 128 --cache bust",
            {"source": "generated", "input_tokens": 512, "output_tokens": 128, "cache": "bust"},
        ),
        ("--input-tokens 5 --ignore-eos", {"source": "generated", "input_tokens": 5, "ignore_eos": True}),
        ("--workload builtin --order shuffled", {"source": "builtin", "order": "shuffled"}),
        ("--kind code --kind chat", {"source": "builtin", "kinds": ["code", "chat"]}),
        ("--dataset 3 --workload-seed 0", {"source": "dataset", "dataset": {"id": 3}, "seed": 0}),
        ('--trace {"id":2,"time_scale":0.5}', {"source": "trace", "trace": {"id": 2, "time_scale": 0.5}}),
        (
            '--workload generated --input-tokens {"distribution":"uniform","min":1,"max":9} --tokenizer o200k',
            {
                "source": "generated",
                "input_tokens": {"distribution": "uniform", "min": 1, "max": 9},
                "tokenizer": "o200k",
            },
        ),
        (
            '--workload builtin --cache {"shared_prefix":{"tokens":9}}',
            {"source": "builtin", "cache": {"shared_prefix": {"tokens": 9}}},
        ),
    ],
)
def test_options_make_a_workload(api: FakeApi, llmbench: Llmbench, arguments: str, workload: dict[str, Any]) -> None:
    assert llmbench("run", "-m", "m", *arguments.split()).exit_code == ExitCode.OK
    sent = api.sent("POST", "/benchmarks")[0]
    assert sent["workload"] == workload
    assert "prompts" not in sent
    assert sent["name"] == f"m, {workload['source']}"


def test_the_order_of_prompts_needs_no_source(api: FakeApi, llmbench: Llmbench) -> None:
    llmbench("run", "-m", "m", "-p", "a", "-p", "b", "--order", "weighted", "--weights", "3,1")
    sent = api.sent("POST", "/benchmarks")[0]
    assert sent["workload"] == {"order": "weighted", "weights": [3.0, 1.0]}
    assert sent["prompts"] == ["a", "b"]


def test_options_are_laid_over_the_workload_of_a_file(api: FakeApi, llmbench: Llmbench) -> None:
    spec = json.dumps({"model": "m", "workload": {"source": "generated", "input_tokens": 9, "cache": "bust"}})
    llmbench("run", "--spec", "-", "--input-tokens", "50", stdin=spec)
    workload = api.sent("POST", "/benchmarks")[0]["workload"]
    assert workload == {"source": "generated", "input_tokens": 50, "cache": "bust"}


def test_without_prompts_and_another_source_nothing_is_sent(api: FakeApi, llmbench: Llmbench) -> None:
    done = llmbench("run", "-m", "m", "--cache", "bust")
    assert done.exit_code == ExitCode.USAGE
    assert "no prompts" in done.stderr
    assert api.sent("POST", "/benchmarks") == []


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--input-tokens", "many", "must be a number or a JSON object"),
        ("--output-tokens", "[1]", "must be a number or a JSON object"),
        ("--cache", "{", "must be a JSON object"),
        ("--trace", "x", "must be a number or a JSON object"),
        ("--weights", "3;1", "must be numbers with commas between"),
    ],
)
def test_a_wrong_option_is_named(llmbench: Llmbench, option: str, value: str, message: str) -> None:
    done = llmbench("run", "-m", "m", "-p", "x", option, value)
    assert done.exit_code == ExitCode.USAGE
    assert f"{option} {value}: {message}" in done.stderr
