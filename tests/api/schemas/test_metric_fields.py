"""Fields of the API's schemas that follow from the registry of metrics."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from api.schemas.metric_fields import IN_EVERY_SUMMARY, distribution_field
from api.schemas.results import Distribution, ResultOut
from api.schemas.summary import Summary, TokenTotals
from shared.numbers.metric import Metric
from shared.numbers.metrics import DISTRIBUTED, METRICS, REPORTED, STORED
from shared.numbers.percentiles import MIN_COUNT, WITH_INTERVAL
from tests.cli.documents import summary


@pytest.mark.parametrize("name", STORED)
def test_a_result_has_each_stored_metric_as_defined(name: str) -> None:
    field = ResultOut.model_fields[name]
    assert field.description == METRICS[name].text
    assert field.is_required()


def test_what_the_terminal_shows_comes_first() -> None:
    assert list(ResultOut.model_fields)[:9] == [
        "id",
        "prompt",
        "response",
        "ttft_ms",
        "latency_ms",
        "tokens_per_second",
        "input_tokens",
        "output_tokens",
        "cost_usd",
    ]


def test_a_summary_has_a_distribution_of_each_metric_that_is_distributed() -> None:
    assert {name for name in METRICS if name in Summary.model_fields} == {
        metric.name for metric in METRICS.values() if metric.distributed
    }


def test_the_first_summaries_are_still_read() -> None:
    """They have the distributions that the first version had, and no others."""
    document = {name: value for name, value in summary().items() if name in IN_EVERY_SUMMARY or name not in METRICS}
    found: Any = Summary.model_validate(document)
    assert found.ttft_ms.count == 2
    for name in {name for name, metric in METRICS.items() if metric.distributed} - IN_EVERY_SUMMARY:
        assert getattr(found, name) is None


def test_a_new_metric_is_null_in_summaries_that_were_stored_before_it() -> None:
    metric = Metric(name="new_ms", unit="ms", definition="New", source="timeline", distributed=True)
    annotation, field = distribution_field(metric, Distribution)
    assert annotation == Distribution | None
    assert field.default is None
    assert "Null in summaries that were stored before" in field.description


def test_distributions_of_a_metric_are_never_null_where_every_summary_has_them() -> None:
    for name in set(DISTRIBUTED) & IN_EVERY_SUMMARY:
        assert Summary.model_fields[name].annotation is Distribution
        assert Summary.model_fields[name].is_required()


def test_token_totals_are_of_all_reported_tokens() -> None:
    assert tuple(TokenTotals.model_fields) == (*REPORTED, "per_estimate")


def test_a_distribution_has_each_percentile_and_interval() -> None:
    percentiles = [f"p{percent}" for percent in MIN_COUNT]
    intervals = [f"p{percent}_ci95" for percent in WITH_INTERVAL]
    assert [name for name in Distribution.model_fields if name.startswith("p")] == [*percentiles, *intervals]


def test_computed_numbers_have_six_places() -> None:
    fields = dict.fromkeys(Distribution.model_fields)
    values = {**fields, "count": 3, "mean": 205.34310000000008, "p50": 12.082133333333333, "relative_error": 0.005}
    shown = Distribution.model_validate({**values, "p50_ci95": (0.1 + 0.2, 1e-9)})
    assert (shown.mean, shown.p50, shown.p50_ci95) == (205.3431, 12.082133, (0.3, 0.0))


def test_dollars_keep_all_their_places() -> None:
    """A request may cost less than a millionth of a dollar."""
    assert METRICS["cost_usd"].name in ResultOut.model_fields
    adapter = TypeAdapter(ResultOut.model_fields["cost_usd"].annotation)
    assert adapter.validate_python(0.000000012345) == 0.000000012345
