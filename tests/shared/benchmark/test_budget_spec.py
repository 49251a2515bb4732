"""What a caller may say about money."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.run_spec import RunSpec
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.without_texts import spec_without_texts

LEAST: dict[str, Any] = {"name": "n", "model": "sim", "prompts": ["a"]}


@pytest.mark.parametrize(
    ("given", "kept"),
    [(2.5, 2.5), (3, 3.0), (0.29, 0.29), (0.000001, 0.000001), (0.0000019, 0.000001), (1_000_000, 1_000_000.0)],
)
def test_a_budget_is_kept_in_micro_dollars(given: float, kept: float) -> None:
    assert BenchmarkSpec.model_validate({**LEAST, "budget_usd": given}).budget_usd == kept


@pytest.mark.parametrize("given", [0, -1, 0.0000001, 1_000_000.01, float("nan"), float("inf"), "2.5", True])
def test_what_is_no_amount_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        BenchmarkSpec.model_validate({**LEAST, "budget_usd": given})


def test_only_what_was_set_is_stored() -> None:
    plain = BenchmarkSpec.model_validate(LEAST).model_dump(mode="json")
    assert not {"budget_usd", "allow_unpriced"} & plain.keys()
    spec = BenchmarkSpec.model_validate({**LEAST, "budget_usd": 2, "allow_unpriced": True})
    stored = spec.model_dump(mode="json", exclude={"prompts"}, exclude_none=True)
    assert (stored["budget_usd"], stored["allow_unpriced"]) == (2.0, True)
    kept = RunSpec.of_stored(spec_without_texts(stored, "benchmark 1"))
    assert (kept.budget_usd, kept.allow_unpriced) == (2.0, True)
