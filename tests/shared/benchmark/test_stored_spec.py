"""Specs as rows hold them: JSON without prompts, of this version and every older one, typed again."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.run_spec import RunSpec
from shared.benchmark.spec import BenchmarkSpec

TIMEOUTS = {"connect_s": 10.0, "ttft_s": 120.0, "idle_s": 60.0, "total_s": 600.0}
# The shortest spec as each version stored it, oldest first. None of these may ever fail to be read.
FIRST: dict[str, Any] = {
    "name": "n",
    "model": "sim",
    "parameters": {"max_tokens": 1_024},
    "repetitions": 1,
    "warmup": 0,
    "concurrency": 1,
    "timeouts": TIMEOUTS,
    "metadata": {},
}
WITH_RATES: dict[str, Any] = {**FIRST, "arrival": "constant", "arrival_seed": 0}
WITH_INTERRUPTS: dict[str, Any] = {**WITH_RATES, "on_interrupt": "resume"}
# A spec with every field of the first version, and one with those that came later.
FULL: dict[str, Any] = {
    **FIRST,
    "provider": "openai",
    "system": "s",
    "parameters": {"max_tokens": 20, "temperature": 0.0, "stop": ["a"]},
    "repetitions": 2,
    "warmup": 1,
    "concurrency": 4,
    "timeouts": {**TIMEOUTS, "total_s": 60.0},
    "metadata": {"a": None, "b": [1, {"c": 2.5}]},
}
LATER: dict[str, Any] = {
    **WITH_INTERRUPTS,
    "request_rate": 5.0,
    "arrival": "poisson",
    "arrival_seed": 7,
    "on_interrupt": "fail",
    "max_duration_s": 60.0,
}


def test_a_field_that_an_older_version_did_not_have_means_what_it_did_then() -> None:
    for document in (FIRST, WITH_RATES, WITH_INTERRUPTS):
        spec = RunSpec.of_stored(document)
        assert (spec.concurrency, spec.repetitions, spec.warmup) == (1, 1, 0)
        assert (spec.request_rate, spec.arrival, spec.arrival_seed) == (None, "constant", 0)
        assert (spec.on_interrupt, spec.max_duration_s) == ("resume", None)
        assert (spec.provider, spec.system, spec.metadata) == (None, None, {})
        # The rest of a warm-up that an older version began gets a prefix, which changes no measured request.
        assert spec.warmup_prefix


@pytest.mark.parametrize("document", [FIRST, WITH_RATES, WITH_INTERRUPTS, FULL, LATER])
def test_every_field_that_was_stored_is_read_as_it_was(document: dict[str, Any]) -> None:
    spec = RunSpec.of_stored(json.loads(json.dumps(document)))
    read = spec.model_dump(mode="json", exclude_none=True)
    assert {name: read[name] for name in document} == document


@pytest.mark.parametrize("document", [FIRST, WITH_RATES, WITH_INTERRUPTS, FULL, LATER])
def test_an_older_benchmark_can_be_run_again(document: dict[str, Any]) -> None:
    """With its prompts it is a whole spec, and no default of today changes it."""
    spec = BenchmarkSpec.model_validate({**document, "prompts": [{"messages": [{"role": "user", "content": "x"}]}]})
    assert spec.with_defaults() == spec


def test_what_this_version_stores_is_read_back() -> None:
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "m", "prompts": ["a", "b"]}).with_defaults()
    document = json.loads(json.dumps(spec.model_dump(mode="json", exclude={"prompts"}, exclude_none=True)))
    read = RunSpec.of_stored(document)
    assert {name: getattr(read, name) for name in RunSpec.model_fields} == {
        name: getattr(spec, name) for name in RunSpec.model_fields
    }


def test_workers_of_the_version_before_can_read_a_spec_with_the_default() -> None:
    """They refuse a field that they do not know."""
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "m", "prompts": ["a"]}).with_defaults()
    document = spec.model_dump(mode="json", exclude={"prompts"}, exclude_none=True)
    assert document.keys() == WITH_INTERRUPTS.keys()
    told = spec.model_copy(update={"warmup_prefix": False}).model_dump(mode="json", exclude_none=True)
    assert told["warmup_prefix"] is False
    assert not RunSpec.of_stored(told).warmup_prefix


def test_a_field_of_a_newer_version_does_not_hide_a_benchmark() -> None:
    """An old API lists it while a rolling upgrade is under way."""
    newer = {**FIRST, "pace": {"kind": "ramp"}, "timeouts": {**TIMEOUTS, "dns_s": 1.0}}
    assert RunSpec.of_stored(newer) == RunSpec.of_stored(FIRST)


@pytest.mark.parametrize("document", [{}, {"name": "n"}, {**FIRST, "concurrency": "many"}])
def test_what_no_version_stored_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RunSpec.of_stored(document)
