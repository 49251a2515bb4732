"""Which request a form stands for, and the form of a request."""

import json
from typing import Any

import pytest

from api.pages.forms.earlier import request_of
from api.pages.forms.prefill import values_of
from api.pages.forms.request import draft_of
from api.schemas.benchmark_request import EXAMPLES
from shared.benchmark.spec import BenchmarkSpec

LEAST = {"model": "gpt-4o-mini", "prompts": "one\ntwo"}


def request(**values: str) -> dict[str, Any]:
    draft = draft_of({**LEAST, **values})
    assert draft.wrong == {}
    return {name: value for name, value in draft.document.items() if name not in ("name", "model", "prompts")}


def test_the_least_that_a_form_needs() -> None:
    assert draft_of(LEAST).document == {
        "name": "gpt-4o-mini, 2 prompts",
        "model": "gpt-4o-mini",
        "prompts": ["one", "two"],
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"concurrency": " 4 ", "warmup": "2"}, {"concurrency": 4, "warmup": 2}),
        (
            {"load": "open", "request_rate": "2.5", "arrival": "poisson", "max_concurrency": "9"},
            {"request_rate": 2.5, "arrival": "poisson", "concurrency": 9},
        ),
        (
            {"concurrency": "4", "duration_s": "60", "warmup": "2"},
            {"load": {"concurrency": 4, "warmup": {"requests": 2}, "duration_s": 60}},
        ),
        (
            {"load": "open", "request_rate": "5", "requests": "100", "max_concurrency": "9", "concurrency": "3"},
            {"load": {"request_rate": 5, "max_concurrency": 9, "requests": 100}},
        ),
        ({"load": "sweep"}, {"load": {"sweep": {}}}),
        (
            {"load": "sweep", "sweep_from": "1", "sweep_to": "64", "sweep_duration_s": "30"},
            {"load": {"sweep": {"concurrency": {"from": 1, "to": 64}, "duration_s": 30}}},
        ),
        (
            {"load": "sweep", "sweep_over": "request_rate", "sweep_to": "9", "sweep_factor": "1.5"},
            {"load": {"sweep": {"request_rate": {"to": 9, "factor": 1.5}}}},
        ),
        (
            {"load": "search", "search_max": "64", "slo_preset": "interactive_chat"},
            {"slos": {"preset": "interactive_chat"}, "load": {"search": {"max": 64}}},
        ),
        (
            {"load": "json", "advanced": '{"load": {"stages": [{"concurrency": 1}]}}', "concurrency": "7"},
            {"load": {"stages": [{"concurrency": 1}]}},
        ),
    ],
)
def test_loads(values: dict[str, str], expected: dict[str, Any]) -> None:
    assert request(**values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {
                "source": "generated",
                "input_tokens": "512",
                "output_tokens": "128",
                "cache": "bust",
                "order": "shuffled",
            },
            {"source": "generated", "input_tokens": 512, "output_tokens": 128, "cache": "bust"},
        ),
        (
            {"source": "builtin", "order": "shuffled", "seed": "7"},
            {"source": "builtin", "order": "shuffled", "seed": 7},
        ),
        ({"source": "dataset", "dataset": "3"}, {"source": "dataset", "dataset": {"id": 3}}),
        ({"order": "shuffled"}, {"order": "shuffled"}),
    ],
)
def test_workloads(values: dict[str, str], expected: dict[str, Any]) -> None:
    assert request(**values) == {"workload": expected}
    assert ("prompts" in draft_of({**LEAST, **values}).document) == ("source" not in values)


def test_the_other_fields() -> None:
    values = {
        "system": " Be brief.\n",
        "max_tokens": "20",
        "temperature": "0",
        "ttft_s": "2.5",
        "max_duration_s": "1e3",
        "slo_ttft_ms": "500",
        "metadata": "team=search",
        "webhook_url": "https://hooks.example.com/bench",
        "provider": "openai",
        "repetitions": "3",
    }
    assert request(**values) == {
        "system": " Be brief.\n",
        "parameters": {"max_tokens": 20, "temperature": 0},
        "timeouts": {"ttft_s": 2.5},
        "max_duration_s": 1000,
        "slos": {"ttft_ms": 500},
        "metadata": {"team": "search"},
        "webhook_url": "https://hooks.example.com/bench",
        "provider": "openai",
        "repetitions": 3,
    }


def test_the_json_box_wins_and_objects_are_merged() -> None:
    advanced = {"parameters": {"max_tokens": 5, "seed": 1}, "observe": False, "load": {"grace_s": 4}}
    made = request(max_tokens="20", temperature="1", concurrency="2", advanced=json.dumps(advanced))
    assert made == {
        "parameters": {"max_tokens": 5, "temperature": 1, "seed": 1},
        "observe": False,
        "load": {"concurrency": 2, "grace_s": 4},
    }


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"concurrency": "eight"}, "concurrency", "must be a whole number, in digits"),
        ({"concurrency": "1.5"}, "concurrency", "must be a whole number, in digits"),
        ({"temperature": "0,5"}, "temperature", "must be a number, such as 0.5"),
        ({"temperature": "٣"}, "temperature", "must be a number, such as 0.5"),
        ({"load": "open"}, "request_rate", "say how many"),
        ({"load": "sweep", "sweep_over": "request_rate"}, "sweep_to", "say up to which rate"),
        ({"source": "dataset"}, "dataset", "choose one"),
        ({"source": "generated"}, "input_tokens", "say how long"),
        ({"prompts": "{", "prompts_format": "json"}, "prompts", "line 1 is not JSON"),
        ({"metadata": "team"}, "metadata", "line 1 must be key=value"),
        ({"advanced": "[]"}, "advanced", "must be a JSON object"),
        ({"advanced": "{"}, "advanced", "is not JSON"),
        ({"advanced": '{"webhook_secret": "whsec_x"}'}, "advanced", "leave webhook_secret out"),
    ],
)
def test_what_cannot_be_read_is_named_and_left_out(values: dict[str, str], field: str, message: str) -> None:
    draft = draft_of({**LEAST, **values})
    assert list(draft.wrong) == [field]
    assert draft.wrong[field].startswith(message)


OTHERS: dict[str, dict[str, Any]] = {
    "a list of points": {"load": {"sweep": {"concurrency": [1, 2, 4], "repeats": 2}}},
    "a list of rates": {"load": {"sweep": {"request_rate": [1.5, 2]}}},
    "a dataset by its hash": {
        "workload": {"source": "dataset", "dataset": {"sha256": "0" * 64, "max_turns": 2}},
        "prompts": None,
    },
    "rates": {"load": {"sweep": {"request_rate": {"from": 0.5, "to": 8}, "requests": 20}}},
    "bursts": {"load": {"burst": {"requests": 10, "every_s": 1}, "requests": 20}},
    "a warm-up with a load": {"load": {"concurrency": 4, "requests": 9, "warmup": {"concurrency": 1, "requests": 2}}},
    "gamma": {"load": {"request_rate": 4, "arrival": "gamma", "burstiness": 0.5, "duration_s": 9}},
    "short open": {"request_rate": 4, "arrival": "poisson", "arrival_seed": 7, "concurrency": 20, "warmup": 1},
    "weights": {"workload": {"order": "weighted", "weights": [3, 1]}},
    "lengths": {
        "workload": {"source": "generated", "input_tokens": {"distribution": "uniform", "min": 4, "max": 9}},
        "prompts": None,
    },
    "a preset with a bound": {"slos": {"preset": "interactive_chat", "ttft_ms": 400}},
    "bounds": {"slos": {"max_stall_ms": 100, "latency_ms": 1.5}},
    "parameters": {"parameters": {"stop": ["x"], "max_tokens": 9, "seed": 0}, "extra_body": {"top_a": [1]}},
    "texts with odd characters": {"system": "a\r\nb", "name": "two\nlines"},
    "conversations": {
        "prompts": [
            "x",
            {"messages": [{"role": "user", "content": "a"}], "system": "s"},
        ]
    },
    "metadata": {"metadata": {"build": 17, "é": None}},
    "timeouts": {"timeouts": {"connect_s": 1.5, "total_s": 20}, "max_duration_s": 90, "on_interrupt": "fail"},
    "no observation": {"observe": False, "warmup_prefix": False, "warmup": 2, "repetitions": 4, "concurrency": 1},
}
ALL = {name: example["value"] for name, example in EXAMPLES.items()} | {
    name: {
        field: value
        for field, value in {"name": "t", "model": "m", "provider": "p", "prompts": ["a", "b"], **fields}.items()
        if value is not None
    }
    for name, fields in OTHERS.items()
}


@pytest.mark.parametrize("document", ALL.values(), ids=ALL.keys())
def test_a_request_comes_back_from_its_form(document: dict[str, Any]) -> None:
    """What the form has no place for is in its JSON box."""
    draft = draft_of(values_of(document))
    assert draft.wrong == {}
    assert BenchmarkSpec.model_validate(draft.document) == BenchmarkSpec.model_validate(document)


@pytest.mark.parametrize("document", ALL.values(), ids=ALL.keys())
def test_a_stored_benchmark_comes_back_from_its_form(document: dict[str, Any]) -> None:
    stored = BenchmarkSpec.model_validate(document).with_defaults()
    again = BenchmarkSpec.model_validate(draft_of(values_of(request_of(stored))).document).with_defaults()
    left_out = {"workload": {"seed"}} if stored.workload and stored.workload.cache.word == "bust" else None
    assert again.model_dump(exclude=left_out) == stored.model_dump(exclude=left_out)


def test_the_json_box_stays_empty_where_the_form_has_a_place_for_all() -> None:
    for name in ("shortest", "generated", "sweep", "search"):
        assert "advanced" not in values_of(ALL[name]), name


def test_a_name_that_nobody_chose_is_made_anew() -> None:
    made = draft_of({**LEAST, "repetitions": "3"}).document
    values = values_of(request_of(BenchmarkSpec.model_validate(made).with_defaults()))
    assert "name" not in values
    assert draft_of({**values, "repetitions": "9"}).document["name"] == "gpt-4o-mini, 2 prompts × 9, concurrency 6"
    chosen = BenchmarkSpec.model_validate({**made, "name": "Ours"})
    assert values_of(request_of(chosen))["name"] == "Ours"


def test_a_stored_benchmark_fills_in_nothing_that_its_caller_left_out() -> None:
    load = {"concurrency": 2, "duration_s": 9}
    stored = BenchmarkSpec.model_validate({**ALL["shortest"], "load": load}).with_defaults()
    values = values_of(request_of(stored))
    assert values.keys() == {
        *("name", "model", "prompts", "prompts_format", "source", "load", "concurrency", "duration_s"),
    }


def test_a_webhook_is_part_of_the_request_again() -> None:
    spec = BenchmarkSpec.model_validate(ALL["shortest"])
    values = values_of(request_of(spec, "https://h.example/x", ["benchmark.failed"]))
    assert values["webhook_url"] == "https://h.example/x"
    assert json.loads(values["advanced"]) == {"webhook_events": ["benchmark.failed"]}


def test_a_budget_comes_back_from_the_form() -> None:
    values = {"budget_usd": "2.50", "allow_unpriced": "yes"}
    assert request(**values) == {"budget_usd": 2.5, "allow_unpriced": True}
    assert request(budget_usd="", allow_unpriced="") == {}
    found = values_of({"name": "n", "model": "m", "prompts": ["a"], "budget_usd": 2.5, "allow_unpriced": True})
    assert (found["budget_usd"], found["allow_unpriced"], found.get("advanced")) == ("2.5", "yes", None)


def test_how_it_runs_beside_others_comes_back_from_the_form() -> None:
    for choice, field in (("exclusive", "exclusive"), ("share", "share_endpoint")):
        assert request(beside_others=choice) == {field: True}
        found = values_of({"name": "n", "model": "m", "prompts": ["a"], field: True})
        assert (found["beside_others"], found.get("advanced")) == (choice, None)
    assert request(beside_others="") == {}
