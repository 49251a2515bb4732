"""The `slos` of a spec: bounds, presets, and what is stored of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.run_spec import RunSpec
from shared.benchmark.slo.slo_presets import PRESETS
from shared.benchmark.slo.slo_spec import BOUNDS, SloSpec
from shared.benchmark.spec import BenchmarkSpec


def spec(slos: Any, **fields: Any) -> BenchmarkSpec:
    return BenchmarkSpec(name="n", model="m", prompts=("p",), slos=slos, **fields)


def slos_of(value: Any, **fields: Any) -> SloSpec:
    found = spec(value, **fields).slos
    assert found is not None
    return found


def test_bounds_are_those_that_are_set() -> None:
    found = slos_of({"ttft_ms": 500, "tokens_per_second": 20})
    assert (found.bounds, found.attainment) == ({"ttft_ms": 500, "tokens_per_second": 20}, 0.95)


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_name_is_enough(name: str) -> None:
    found, preset = slos_of(name), PRESETS[name]
    assert (found.preset, found.bounds, found.attainment) == (name, preset.bounds, preset.attainment)
    assert preset.bounds.keys() <= set(BOUNDS)


def test_own_bounds_replace_those_of_a_preset() -> None:
    found = slos_of({"preset": "mlperf_llama2_70b_interactive", "ttft_ms": 300, "latency_ms": 9_000})
    assert found.bounds == {"ttft_ms": 300, "tpot_ms": 40, "latency_ms": 9_000}
    assert found.attainment == 0.99
    assert slos_of({"preset": "interactive_chat", "tpot_ms": None}).bounds == {"ttft_ms": 500}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "set a preset or at least one of ttft_ms"),
        ({"attainment": 0.9}, "at least one of"),
        ("fast", "there is no preset 'fast'"),
        ({"preset": "x" * 100}, "there is no preset"),
        ({"ttft_ms": 0}, "greater than 0"),
        ({"ttft_ms": "500"}, "valid number"),
        ({"ttft_ms": 500, "attainment": 1.5}, "less than or equal to 1"),
        ({"ttft": 500}, "Extra inputs"),
        (5, "valid dictionary or instance of SloSpec"),
    ],
)
def test_a_wrong_one_is_an_error_of_the_field(value: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        spec(value)
    assert caught.value.errors()[0]["loc"][0] == "slos"


def test_effective_latency_needs_an_open_loop() -> None:
    assert slos_of({"effective_latency_ms": 900}, request_rate=5.0).bounds == {"effective_latency_ms": 900}
    with pytest.raises(ValidationError, match="set request_rate as well"):
        spec({"effective_latency_ms": 900})


def test_a_spec_without_slos_is_stored_as_before() -> None:
    assert "slos" not in spec(None).model_dump(mode="json")


def test_a_stored_preset_keeps_the_bounds_of_its_time() -> None:
    stored = spec({"preset": "interactive_chat", "tpot_ms": None}).model_dump(mode="json", exclude={"prompts"})
    assert stored["slos"] == {"preset": "interactive_chat", "ttft_ms": 500, "attainment": 0.95}
    again = RunSpec.of_stored(stored).slos
    assert again is not None
    assert again.bounds == {"ttft_ms": 500}
    gone = RunSpec.of_stored({**stored, "slos": {"preset": "gone", "ttft_ms": 7, "attainment": 0.9}}).slos
    assert gone is not None
    assert (gone.preset, gone.bounds) == ("gone", {"ttft_ms": 7})
